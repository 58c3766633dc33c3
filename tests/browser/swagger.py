"""Swagger UI as a person uses it."""

import json

from playwright.sync_api import expect


class Swagger:
    def __init__(self, page, url):
        self.page = page
        page.goto(f"{url}/docs")
        expect(page.locator(".opblock").first).to_be_visible()

    def operations(self):
        return self.page.locator(".opblock").count()

    def open(self, operation):
        """Unfolds an operation, by its id, and gives its block."""
        block = self.page.locator(f".opblock[id$='-{operation}']")
        if not block.locator(".opblock-body").count():
            block.locator(".opblock-summary-control").click()
        expect(block.locator("button.execute")).to_be_visible()
        return block

    def execute(self, operation, body=None, **parameters):
        """Fills the form in and sends it: the status and the body that the page shows."""
        block = self.open(operation)
        for name, value in parameters.items():
            field = block.locator(f"tr[data-param-name='{name}']").locator("input, select")
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(str(value))
            else:
                field.fill(str(value))
        if body is not None:
            block.locator("textarea.body-param__text").fill(json.dumps(body, indent=2))
        block.locator("button.execute").click()
        answer = block.locator("table.live-responses-table tr.response")
        expect(answer).to_be_visible()
        block.locator(".execute-wrapper, .btn-group").first.evaluate("buttons => buttons.scrollIntoView({block: 'start'})")
        status = int(answer.locator(".response-col_status").inner_text().split()[0])
        return status, json.loads(answer.locator(".response-col_description .highlight-code code").first.text_content())

    def close(self, operation):
        self.page.locator(f".opblock[id$='-{operation}'] .opblock-summary-control").click()

    def authorize(self, token):
        self.page.locator(".auth-wrapper .authorize").click()
        dialog = self.page.locator(".dialog-ux")
        dialog.locator("input").fill(token)
        return dialog

    def confirm(self, dialog):
        dialog.get_by_role("button", name="Apply credentials").click()
        expect(dialog.get_by_role("button", name="Remove authorization")).to_be_visible()
        dialog.locator(".close-modal").click()
        expect(dialog).to_have_count(0)
