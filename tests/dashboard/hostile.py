"""Text that would do harm if a page took it for anything but text."""

HOSTILE = (
    "<img/src/onerror=x>\"'><svg onload=x>javascript:x{{7*7}}{% raw %}"
    "</script></pre></textarea>\u202e\u200b&amp;"
)
# What none of them may become: an element or attribute with this mark, a call of this, this sum.
MARK, CALL, SUM = "data-hostile", "window.ran=1", "hostile49"
_CORE = f"\"'><img {MARK} src=x onerror={CALL}>"
# Each stays within the 200 characters of a name, and its last ones may be cut off.
BUNDLES = (
    f"{_CORE}</title></style></textarea></script><script {MARK}>{CALL}</script><svg {MARK} onload={CALL}>",
    f"javascript:{CALL}//{_CORE}' onfocus='{CALL}' autofocus x='<a {MARK} href=javascript:{CALL}>",
    f"//evil.example/{_CORE}<base {MARK} href=//evil.example><iframe {MARK} srcdoc='<script>{CALL}'>",
    f"hostile{{{{7*7}}}}{{% raw %}}${{7*7}}\u202e\u2066\u200b\ufeff\0\u0085\u2028{_CORE}--><!--]]>&lt;b>",
    f"{'W' * 80}{_CORE}<form {MARK} action=//evil.example><button autofocus>",
    f"data:text/html,{_CORE}<meta {MARK} http-equiv=refresh content='0;url=//evil.example'><link {MARK}>",
)
