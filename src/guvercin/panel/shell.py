"""The frame around every page behind the sign-in: the menu, the name of the business, and what needs somebody."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from guvercin.core.account import Kind
from guvercin.panel.desk import desk_of, viewer_of
from guvercin.panel.drawing import page


async def show(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """Answer a page inside the frame. Templates know `now` and `is_trial`: nothing can reach anybody yet."""
    desk, viewer = desk_of(request), viewer_of(request)
    accounts = await desk.gateway.accounts.seen(viewer.token)
    return page(
        template,
        viewer,
        status=status,
        now=desk.now(),
        business=await desk.choices.business(),
        here=request.url.path,
        is_trial=all(account.kind is Kind.SANDBOX for account in accounts),
        **values,
    )
