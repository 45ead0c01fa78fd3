"""GET /report, for administrators. The authorizer has verified the token; its claims come with the event."""

import json


def handler(event, _context):
    claims = event["requestContext"]["authorizer"]["lambda"]
    if "admin" not in claims.get("roles", []):
        # A problem document: by it the client tells this from the gateway's 403, which may be an expired token.
        problem = {"title": "Forbidden", "status": 403, "detail": "This needs the role admin."}
        return answer(403, "application/problem+json", problem)
    return answer(200, "application/json", {"report": "All is well.", "for": claims["email"]})


def answer(status, content_type, body):
    headers = {"content-type": content_type, "cache-control": "no-store"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}
