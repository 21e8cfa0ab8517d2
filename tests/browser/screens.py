"""Take the screenshots of `docs/screens` from the running demonstration (`make demo`, then `make screens`)."""

from itertools import product
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.page_object import CHROMIUM_ARGUMENTS
from tools import demonstration

FOLDER = Path(__file__).parents[2] / "docs" / "screens"
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 740}


def main() -> None:
    demo = demonstration.read(demonstration.demo_env())
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGUMENTS)
        for language, scheme in product(("uk", "en"), ("light", "dark")):
            context = chromium.new_context(viewport=WIDE, color_scheme=scheme, reduced_motion="reduce")
            context.add_init_script(f"localStorage.language = '{language}'")
            page = context.new_page()
            sign_in(page, demo)
            screenshot(page, f"home-{scheme}-{language}")
            open_journal(page, demo)
            screenshot(page, f"journal-{scheme}-{language}")
            if (language, scheme) == ("uk", "light"):
                page.goto(f"{demo['BASE_URL']}/legend")
                page.locator(".meanings").first.wait_for()
                screenshot(page, "legend")
                page.goto(f"{demo['BASE_URL']}/report?by=operator")
                page.locator(".figures").wait_for()
                screenshot(page, "report")
                page.set_viewport_size(NARROW)
                open_journal(page, demo)
                screenshot(page, "journal-narrow")
            context.close()
        chromium.close()


def sign_in(page: Page, demo: dict[str, str]) -> None:
    page.goto(demo["BASE_URL"])
    page.locator("[name=login]").fill(demo["ADMIN_LOGIN"])
    page.locator("[name=password]").fill(demo["ADMIN_PASSWORD"])
    page.keyboard.press("Enter")
    page.locator("tr.call").first.wait_for()


def open_journal(page: Page, demo: dict[str, str]) -> None:
    page.goto(f"{demo['BASE_URL']}/journal?status=answered&has=price&has=comment")
    page.locator(".chevron").nth(1).click()
    page.locator(".timeline li").first.wait_for()


def screenshot(page: Page, name: str) -> None:
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
