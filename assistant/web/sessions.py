"""Sessions of people who signed in: a signed cookie that names them."""

from fastapi import Request, Response

from assistant.store.users import User, Users

COOKIE = "frontdesk_session"
# Seconds; a working day.
AGE = 12 * 60 * 60


class Sessions:
    """Begins, reads and ends sessions."""

    def __init__(self, users: Users, secret: str) -> None:
        """Take who may sign in, and the secret that signs."""
        from itsdangerous import URLSafeTimedSerializer

        self.users = users
        self._serializer: URLSafeTimedSerializer = URLSafeTimedSerializer(secret, salt="session")

    def begin(self, user: User, request: Request, response: Response) -> None:
        """Give the browser of a request the cookie of a user."""
        value = self._serializer.dumps([user.name, user.stamp])
        is_secure = request.url.scheme == "https"
        response.set_cookie(
            COOKIE, str(value), max_age=AGE, secure=is_secure, httponly=True, samesite="lax"
        )

    def end(self, response: Response) -> None:
        """Take the cookie away."""
        response.delete_cookie(COOKIE, httponly=True, samesite="lax")

    def user(self, request: Request) -> User | None:
        """Return who signed in; None after ``AGE``, a new password, or for another site's page."""
        from itsdangerous import BadData

        if not request.cookies.get(COOKIE) or not _is_own_page(request):
            return None
        try:
            name, stamp = self._serializer.loads(request.cookies[COOKIE], max_age=AGE)
        except (BadData, ValueError):
            return None
        return self.users.find(str(name), str(stamp))


def _is_own_page(request: Request) -> bool:
    """Return whether a browser sent a request for a page of this server, or does not say."""
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host")
