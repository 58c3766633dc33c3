"""Uses the documentation pages: python use.py PROGRAM CHROMIUM SCREENSHOTS. Fails at the first thing that is wrong."""

import json
import pathlib
import sys

from closed_browser import ClosedBrowser
from playwright.sync_api import expect
from server import Client, Server
from swagger import Swagger

NEWCOMER = "newcomer@example.com"
# ReDoc's sections, each of one operation.
OPERATIONS = ".api-content > div[data-section-id*='/operation/']"

# It wants one of two parameters, which no document can say.
WANTS_A_CHOICE = "ledger_state"


def use_swagger(server, browser):
    """A newcomer signs in, reads prices and buys a share, with nothing but the page."""
    with browser.page() as page:
        swagger = Swagger(page, server.url)
        browser.shoot(page, "docs")
        documented = operations_of(server)
        assert swagger.operations() == len(documented), f"{swagger.operations()} of {len(documented)} operations are shown"
        assert not page.locator(".errors-wrapper").count(), page.locator(".errors-wrapper").inner_text()

        status, _ = swagger.execute("request_otp", {"email": NEWCOMER})
        assert status == 200, status
        status, login = swagger.execute("login", {"email": NEWCOMER, "otp": server.code(NEWCOMER)})
        assert (status, login["user"]["email"], login["user"]["role"]) == (200, NEWCOMER, "trader"), login
        browser.shoot(page, "docs-login")

        dialog = swagger.authorize(login["access_token"])
        browser.shoot(page, "docs-authorize")
        swagger.confirm(dialog)

        client = Client(server.url, login["access_token"])
        shown = swagger.execute("get_prices", symbol="MSFT", limit=3, adjusted="false")
        assert shown == (200, client.get("stocks/MSFT/prices?limit=3&adjusted=false").ok()), shown
        assert shown[1]["count"] == 3, shown
        browser.shoot(page, "docs-prices")

        order = {"symbol": "MSFT", "side": "buy", "type": "market", "quantity": 1}
        status, placed = swagger.execute("place_order", order)
        assert (status, placed["symbol"], placed["side"], placed["quantity"]) == (201, "MSFT", "buy", 1), placed
        assert client.get(f"portfolio/orders/{placed['id']}").ok() == placed
        browser.shoot(page, "docs-order")

        for operation in documented:
            if is_plain_read(operation):
                status, _ = swagger.execute(operation["operationId"])
                assert status == 200, f"{operation['operationId']}, as the page proposes it: {status}"
                swagger.close(operation["operationId"])
        return len(documented)


def use_redoc(server, browser):
    """The reference shows every operation and finds words; its search runs in a worker of its own. Each form of an order has its sample."""
    with browser.page() as page:
        page.goto(f"{server.url}/redoc")
        expect(page.get_by_role("heading", name="StockGPT API").first).to_be_visible()
        expect(page.locator(OPERATIONS)).to_have_count(len(operations_of(server)))
        browser.shoot(page, "redoc")

        page.get_by_role("textbox").first.fill("ledger")
        expect(page.locator("[data-role='search:results'] li").first).to_be_visible()
        browser.shoot(page, "redoc-search")

        page.goto(f"{server.url}/redoc#tag/Portfolio/operation/place_order")
        page.reload()
        expect(page.locator("[id='tag/Portfolio/operation/place_order']")).to_be_in_viewport()
        browser.shoot(page, "redoc-operation")
        section = page.locator("[data-section-id='tag/Portfolio/operation/place_order']")
        sample = section.locator(".redoc-json").first
        for name, example in forms_of(server, "OrderRequest").items():
            section.locator("select").first.select_option(name)
            assert json.loads(sample.inner_text()) == example, f"{name}: {sample.inner_text()}"


def use_small_screen(server, browser):
    """On a telephone nothing sticks out to the side."""
    with browser.page(width=390, height=844) as page:
        for path, ready in (("docs", ".opblock"), ("redoc", OPERATIONS)):
            page.goto(f"{server.url}/{path}")
            expect(page.locator(ready).first).to_be_attached()
            browser.shoot(page, f"{path}-small")
            widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert widths[0] <= widths[1], f"/{path} is {widths[0]} px wide on a screen of {widths[1]}"


def document_of(server):
    return json.loads(Client(server.url).get("/openapi.json").body)


def operations_of(server):
    paths = document_of(server)["paths"].values()
    return [{"method": method, **operation} for path in paths for method, operation in path.items()]


def forms_of(server, schema):
    """The examples of a choice's forms, by their titles."""
    schemas = document_of(server)["components"]["schemas"]
    forms = [schemas[form["$ref"].rpartition("/")[2]] for form in schemas[schema]["oneOf"]]
    return {form["title"]: form["examples"][0] for form in forms}


def is_plain_read(operation):
    """Whether a trader can read it without filling in anything: a form must not propose what is refused."""
    required = [parameter for parameter in operation.get("parameters", []) if parameter["required"]]
    roles = [role for requirement in operation.get("security", []) for scopes in requirement.values() for role in scopes]
    is_json = "application/json" in operation["responses"].get("200", {}).get("content", {})
    if operation["method"] != "get" or operation["operationId"] == WANTS_A_CHOICE:
        return False
    return is_json and "admin" not in roles and all("example" in parameter for parameter in required)


def main(program, chromium, screenshots):
    screenshots = pathlib.Path(screenshots)
    screenshots.mkdir(parents=True, exist_ok=True)
    with Server(program) as server:
        browser = ClosedBrowser(chromium, server.url, screenshots)
        operations = use_swagger(server, browser)
        use_redoc(server, browser)
        use_small_screen(server, browser)
    if browser.faults:
        sys.exit("\n".join(["the pages were not clean:", *browser.faults]))
    print(f"/docs and /redoc show {operations} operations; signed in, read prices and placed an order through the page.")
    print(f"{browser.requests} requests, all to the server; no error in the console, no violation of the policy.")
    print(f"Screenshots: {screenshots}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except AssertionError as error:
        # Playwright adds all that is on the page.
        sys.exit(str(error).split("Aria snapshot")[0])
