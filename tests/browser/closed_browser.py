"""A browser that can reach one server and nothing else, and remembers everything that was not as it should be."""

import contextlib

from playwright.sync_api import expect, sync_playwright

FLAGS = [
    "--headless=new",
    # Names lead nowhere, and nothing of the browser's own calls home.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]

# Long answers take Swagger UI seconds to colour.
PATIENCE_MS = 30_000

# Tells of what a page's policy forbade, also where the console is silent.
WATCH = """addEventListener("securitypolicyviolation", event =>
    console.error(`policy violation: ${event.effectiveDirective} ${event.blockedURI} in ${event.sourceFile}:${event.lineNumber}`))"""


class ClosedBrowser:
    def __init__(self, chromium, url, screenshots):
        self.chromium, self.url, self.screenshots = chromium, url, screenshots
        self.faults, self.requests = [], 0

    @contextlib.contextmanager
    def page(self, width=1280, height=1000):
        """A page in a fresh profile."""
        with sync_playwright() as playwright:
            # The sandbox needs rights that containers often lack; the only pages here are our own.
            browser = playwright.chromium.launch(executable_path=self.chromium, args=FLAGS, chromium_sandbox=False)
            context = browser.new_context(viewport={"width": width, "height": height}, service_workers="block")
            context.set_default_timeout(PATIENCE_MS)
            expect.set_options(timeout=PATIENCE_MS)
            context.add_init_script(WATCH)
            context.route("**/*", self._admit)
            context.on("console", self._read_console)
            context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))
            context.on("requestfailed", self._read_failure)
            context.on("response", self._read_response)
            yield context.new_page()
            browser.close()

    def shoot(self, page, name):
        page.screenshot(path=self.screenshots / f"{name}.png")

    def _admit(self, route):
        url = route.request.url
        self.requests += 1
        if url.startswith((f"{self.url}/", "data:", f"blob:{self.url}/")):
            route.continue_()
        else:
            self.faults.append(f"asked another host: {url}")
            route.abort()

    def _read_console(self, message):
        if message.type in ("error", "warning"):
            self.faults.append(f"console {message.type}: {message.text} ({message.location.get('url')})")

    def _read_failure(self, request):
        # What was still on its way when the page was left is given up by the browser itself.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _read_response(self, response):
        if response.status >= 400:
            self.faults.append(f"{response.status}: {response.request.method} {response.url}")
