"""Custom flows: Clerk.js without its components, called as the hooks `useSignIn` and `useSignUp` call it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

# The value of the hooks. A complete sign-in stays there after the client has dropped it.
FLOW = "Clerk.__internal_state.{kind}Signal().{kind}"
CALL = """async ([path, params]) => {{
  const names = path.split(".");
  const last = names.pop();
  const owner = names.reduce((found, name) => found[name], {flow});
  const {{ error }} = (await owner[last](params ?? undefined)) ?? {{}};
  return error ? (error.errors?.[0]?.code ?? error.code ?? String(error)) : null;
}}"""


@dataclass(frozen=True)
class CustomFlow:
    """A sign-in or sign-up in progress, on a page that has loaded Clerk.js.

    Args:
        page: where it is loaded.
        kind: `signIn` or `signUp`.
    """

    page: Page
    kind: str

    def call(self, path: str, **params: Any) -> str | None:
        """Call a method such as `emailCode.sendCode`; return the code of the error, or nothing."""
        error: str | None = self.page.evaluate(CALL.format(flow=self._flow), [path, params or None])
        return error

    def read(self, expression: str) -> Any:
        """Return what an expression about `it`, the sign-in or sign-up, yields."""
        return self.page.evaluate(f"(() => {{ const it = {self._flow}; return {expression}; }})()")

    @property
    def _flow(self) -> str:
        return FLOW.format(kind=self.kind)

    @property
    def status(self) -> str:
        return str(self.read("it.status"))

    def finish(self) -> None:
        """Make the session active that the flow has led to."""
        assert self.call("finalize") is None


def sign_in(page: Page) -> CustomFlow:
    return CustomFlow(page, "signIn")


def sign_up(page: Page) -> CustomFlow:
    return CustomFlow(page, "signUp")


def signed_in_as(page: Page) -> str | None:
    """Reload the page and return the ID of the signed-in user, as the server reports it."""
    page.reload()
    page.locator("body[data-ready]").wait_for(state="attached")
    user_id: str | None = page.evaluate("Clerk.user?.id ?? null")
    return user_id
