"""Headers of every response: what the browser must not do."""

from flask import Response

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "object-src 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types tq-fragment",
    )
)

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}


# Of a file whose address changes with its content; nothing else may be kept.
IMMUTABLE = "private, max-age=31536000, immutable"


def protect(response: Response) -> Response:
    """Return the response with every security header set, whatever it held before."""
    is_kept = response.headers.get("Cache-Control") == IMMUTABLE
    response.headers.update(SECURITY_HEADERS)
    if is_kept:
        response.headers["Cache-Control"] = IMMUTABLE
    return response
