"""The package's own files: kept by browsers for as long as their content stays the same."""

from flask import Response, request

from tickerq_dashboard.access.headers import IMMUTABLE
from tickerq_dashboard.problems import UnknownPageError
from tickerq_dashboard.visits import Visit


def static_file(visit: Visit, filename: str) -> Response:
    """Answer a file of the package, to be kept where its address has the hash of its content."""
    asset = visit.dashboard.assets.files.get(filename)
    if asset is None:
        raise UnknownPageError(filename)
    response = Response(asset.content, mimetype=asset.mimetype)
    response.set_etag(asset.version)
    if request.args.get("v") == asset.version:
        response.headers["Cache-Control"] = IMMUTABLE
    response.make_conditional(request)
    return response
