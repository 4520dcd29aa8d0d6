# SPDX-License-Identifier: Apache-2.0
"""FiftyOne's App as a user has it: its server, and a page of it in a browser without a window.

Wants Debian's chromium and chromium-driver. The server is what FiftyOne itself would start, in the environment
of this process: what was written into the brain config before is what it knows.
"""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

import fiftyone as fo
import fiftyone.constants as foc
import psutil
from fiftyone.operators.store import ExecutionStore
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    JavascriptException,
    NoSuchElementException,
    StaleElementReferenceException,
)
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

CHROMIUM = "chromium"
DRIVER = "chromedriver"
DEADLINE = 60
PATIENCE = 5  # before something is clicked once more
STORE = "similarity_search_panel"
LOG_CHARACTERS = 4000

# what a user meets now and then, and waits for
PASSING = (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    JavascriptException,
    NoSuchElementException,
    StaleElementReferenceException,
)

Result = TypeVar("Result")


class AppError(Exception):
    """The App did not do in time what it was asked, or said that it cannot."""


class LateError(AppError):
    """It did not in time."""


def missing_programs() -> list[str]:
    """What a test of the App lacks on this machine."""
    return [program for program in (CHROMIUM, DRIVER) if not shutil.which(program)]


def waited_for(what: str, ask: Callable[[], Result], deadline: float = DEADLINE, pause: float = 0.05) -> Result:
    """The first answer that is true; elements that come and go meanwhile are no failure."""
    end = time.monotonic() + deadline
    while True:
        last: Exception | None = None
        try:
            if answer := ask():
                return answer
        except PASSING as error:
            last = error
        if time.monotonic() > end:
            raise LateError(f"after {deadline:g} s: {what}") from last
        time.sleep(pause)


def end_with_parent() -> None:
    """In a child, before its program: it does not outlive us."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Server:
    """The App's server on loopback, on a port of its own."""

    def __init__(self, folder: str) -> None:
        os.makedirs(folder, exist_ok=True)
        self._log = os.path.join(folder, "app-server.log")
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> "Server":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "main.py", "--port", str(port), "--address", "127.0.0.1"]
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=foc.SERVER_DIR,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,  # noqa: PLW1509
            )
        try:
            waited_for(f"no answer from the App's server\n{self.log()}", self._answers, deadline=2 * DEADLINE)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def log(self) -> str:
        """The end of what the server wrote."""
        with open(self._log, encoding="utf-8", errors="replace") as file:
            return file.read()[-LOG_CHARACTERS:]

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise AppError(f"the App's server has ended\n{self.log()}")
        try:
            with urllib.request.urlopen(self.url + "/fiftyone", timeout=5) as answer:
                return foc.VERSION in answer.read().decode()
        except OSError:
            return False


class Browser:
    """Chromium without a window, with a profile of its own and no way to the network."""

    def __init__(self, folder: str, width: int = 1600, height: int = 1000) -> None:
        self._profile = os.path.join(folder, "chromium")
        self._size = width, height
        self.driver: Any = None
        self._processes: list[psutil.Process] = []

    def __enter__(self) -> "Browser":
        shutil.rmtree(self._profile, ignore_errors=True)
        options = ChromeOptions()
        options.binary_location = shutil.which(CHROMIUM) or CHROMIUM
        for argument in (
            "--headless=new",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-proxy-server",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
            "--window-size={},{}".format(*self._size),
            "--user-data-dir=" + self._profile,
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
        ):
            options.add_argument(argument)
        service = Service(shutil.which(DRIVER), popen_kw={"preexec_fn": end_with_parent})
        self.driver = Chrome(options=options, service=service)
        parent = psutil.Process(service.process.pid)
        self._processes = [parent, *parent.children(recursive=True)]
        return self

    def __exit__(self, *_: object) -> None:
        if self.driver is not None:
            self.driver.quit()
        for process in psutil.wait_procs(self._processes, timeout=10)[1]:
            process.kill()
        shutil.rmtree(self._profile, ignore_errors=True)


class App:
    """A page of the App: what a user can see of it and do with it."""

    def __init__(self, server: Server, browser: Browser) -> None:
        self._server = server
        self._driver = browser.driver
        self._greeted = False
        self._dataset: Any = None
        self._patches = False

    # ---- the grid ----

    def open(self, dataset: fo.Dataset) -> None:
        """Shows the dataset's samples, with their ids."""
        self._dataset, self._patches = dataset, False
        self._driver.get(f"{self._server.url}/datasets/{dataset.name}")
        self._wait("no sample in the grid", lambda: self._all("[data-cy=looker]"))
        if not self._greeted:  # each new user is shown an offer first
            self._click("no button Dismiss", "//button[.='Dismiss']")
            self._wait("the offer stays", lambda: not self._all(".MuiBackdrop-root"))
            self._greeted = True
        if self._all("[data-cy=panel-tab-similarity_search_panel]"):  # the server remembers
            self._click("the panel stays", "//*[@data-cy='panel-tab-similarity_search_panel']//*[@title='Close']")
        self._wait("the view stays", lambda: self.count() == len(dataset) or self._clear_view())
        if self._all("[data-cy=action-manage-selected]"):
            self._click("no way to what is selected", "//*[@data-cy='action-manage-selected']")
            self._click("the selection stays", "//*[starts-with(@title, 'Deselect all selected')]")
        self._show_ids()

    def count(self) -> int:
        """Of the samples, or patches, that the view has by its own account."""
        text = self._driver.find_element("css selector", "[data-cy=entry-counts]").text
        number = re.match(r"[\d,]+", text)
        return int(number.group().replace(",", "")) if number else -1

    def ids(self, limit: int | None = None) -> list[str]:
        """Of the samples, or patches, of the view, in the order of the grid; of the first `limit` only."""
        found: dict[tuple[int, int], str] = {}
        counted = [-1, -1]  # of two looks: the page shows other numbers on the way

        def enough() -> bool:
            found.update({(row, column): id for row, column, id in self._driver.execute_script(VISIBLE_IDS)})
            counted[:] = counted[1], self.count()
            wanted = counted[1] if limit is None else min(limit, counted[1])
            if len(found) < wanted:
                self._driver.execute_script(SCROLL_ON)
            return counted[0] == counted[1] >= 0 and len(found) >= wanted

        self._scroll_up()
        self._wait("the grid does not show as many samples as it counts", enough)
        self._scroll_up()
        return [id for _, id in sorted(found.items())][:limit]

    def select(self, *ids: str) -> None:
        """Ticks these samples, or patches, which must be in sight."""
        for id in ids:
            xpath = f"//*[@data-cy='looker'][.//*[@data-cy='tag-id'][@title='id: {id}']]"
            self._wait(f"no {id} to select in the grid", lambda xpath=xpath: self._tick(xpath))

    def patches(self, field: str) -> None:
        """Goes to the patches of that field."""
        self._patches = True
        shown = self._mark_grid()
        self._click("no button for patches", "//*[@data-cy='action-clips-patches']")
        self._click(f"no patches {field}", f"//*[@data-cy='item-action-{field}']")
        self._wait("no patch in the grid", lambda: shown() and "patch" in self._text("[data-cy=entry-counts]"))
        self._show_ids()

    def screenshot(self, path: str) -> None:
        """The page as it looks now, as PNG."""
        if not self._driver.save_screenshot(path):
            raise AppError(f"no screenshot could be written to {path}")

    # ---- sort by similarity ----

    def search(
        self, brain_key: str, k: int, prompt: str | None = None, reverse: bool = False, dist_field: str | None = None
    ) -> list[str]:
        """By the panel: similar to what is selected, or to a prompt. The ids of the grid, then."""
        self._sort_by_similarity("no way to the panel", OPEN_PANEL)
        self._wait("no form for a search", self._form)
        self._choose("Similarity Index", brain_key)
        kind = "Text" if prompt else "Image"
        self._click(f"no {kind} Search", f"{PANEL}//button[.='{kind} Search']", optional=prompt is None)
        if prompt is not None:
            self._fill("Text query", prompt)
        self._fill("Number of matches", str(k))
        if reverse:
            self._click("no reverse", f"{PANEL}//button[@role='switch']")
        if dist_field is not None:
            self._fill("Distance field (optional)", dist_field)
        before = len(self._runs())
        self._click("no button Search", f"{PANEL}//button[.='Search']")
        self._click("no menu to execute by", "//*[@role='menuitem'][starts-with(normalize-space(.), 'Execute')]")
        return self._results(before)

    def search_at_once(self, prompt: str | None = None) -> list[str]:
        """By the button alone: the 25 most similar, by the index that was used last, or the first one."""
        before = len(self._runs())
        if prompt is None:
            self._sort_by_similarity("no such button", SHOW_SIMILAR)
        else:
            self._sort_by_similarity("no field for a prompt", PROMPT)
            self._driver.find_element("xpath", PROMPT).send_keys(prompt, Keys.ENTER)
        return self._results(before)

    def _sort_by_similarity(self, problem: str, xpath: str) -> None:
        """Clicks that in what the button opens, and closes again where the page was not done yet."""
        button = "//*[@data-cy='action-sort-by-similarity']"
        last = -PATIENCE

        def clicked() -> bool:
            nonlocal last
            if found := self._driver.find_elements("xpath", xpath):
                found[0].click()
            elif time.monotonic() - last > PATIENCE:
                self._driver.find_element("xpath", button).click()
                last = time.monotonic()
            return bool(found)

        self._wait(problem, clicked)

    def _form(self) -> bool:
        """Whether the panel has the form; it may open with the searches of before."""
        for button in self._driver.find_elements("xpath", f"{PANEL}//button[.='New Search']"):
            button.click()
        return bool(self._field("Number of matches"))

    def _runs(self) -> list[dict[str, Any]]:
        """The searches of this dataset that the panel lists, the newest last: of patches where those are shown."""
        store = ExecutionStore.create(STORE, self._dataset._doc.id)
        runs = [store.get(key) for key in store.list_keys() if key.startswith("run:")]
        listed = [run for run in runs if bool(run["patches_field"]) == self._patches]
        return sorted(listed, key=lambda run: run["creation_time"])

    def _results(self, before: int) -> list[str]:
        """Of the newest search, which is on top of the panel, once there is one more than before."""
        title = f"{PANEL}//h2[starts-with(., '{before + 1} Similarity Search')]"
        row = f"({PANEL}{SHOW_RESULTS})[1]/ancestor::*[{STATUS}][1]"

        def said() -> str:
            runs = self._runs()
            if len(runs) > before and runs[-1]["status"] == "failed":  # of which the form does not tell
                raise AppError(f"the search fails: {runs[-1]['status_details']}\n{self._server.log()}")
            self._driver.find_element("xpath", title)
            text = self._driver.find_element("xpath", row).text
            return text if "Completed" in text else ""

        text = self._wait("the search does not end", said)
        number = int(re.search(r"([\d,]+) results", text).group(1).replace(",", ""))
        shown = self._mark_grid()
        self._click("no results to show", f"({PANEL}{SHOW_RESULTS})[1]")
        self._wait("the grid does not show the results", lambda: shown() and self.count() == number)
        self._show_ids()
        return self.ids()

    # ---- the page ----

    def _wait(self, problem: str, ask: Callable[[], Result]) -> Result:
        try:
            return waited_for(problem, ask)
        except LateError as error:
            page = self._text("body")[-LOG_CHARACTERS:]
            raise LateError(f"{error}; the page says:\n{page}\nthe server:\n{self._server.log()}") from error

    def _all(self, selector: str) -> list[WebElement]:
        return self._driver.find_elements("css selector", selector)

    def _text(self, selector: str) -> str:
        return self._driver.find_element("css selector", selector).text

    def _click(self, problem: str, xpath: str, optional: bool = False) -> None:
        if optional and not self._driver.find_elements("xpath", xpath):
            return

        def click() -> bool:
            self._driver.find_element("xpath", xpath).click()
            return True

        self._wait(problem, click)

    def _clear_view(self) -> bool:
        self._driver.find_element("css selector", "[data-cy=btn-clear-view-bar]").click()
        return False

    def _tick(self, xpath: str) -> bool:
        sample = self._driver.find_element("xpath", xpath)
        box = sample.find_element("css selector", "input[data-cy^=looker-checkbox-input]")
        if not box.is_selected():
            ActionChains(self._driver).move_to_element(sample).perform()
            sample.find_element("css selector", "label[data-cy^=looker-checkbox]").click()
        return box.is_selected()

    def _scroll_up(self) -> None:
        self._wait("the grid does not scroll up", lambda: self._driver.execute_script(SCROLL_UP))

    def _show_ids(self) -> None:
        """By the box beside `id` in the sidebar."""
        box = "//*[@data-cy='checkbox-id']"

        def shown() -> bool:
            if not self._driver.find_element("xpath", box + "//input").is_selected():
                self._driver.find_element("xpath", box).click()
            return bool(self._all("[data-cy=looker] [data-cy=tag-id]"))

        self._wait("the samples do not show their ids", shown)

    def _mark_grid(self) -> Callable[[], bool]:
        """What it returns says whether there is a grid that was made since."""
        self._driver.execute_script(MARK)
        return lambda: self._driver.execute_script(NEW_GRID)

    def _field(self, label: str) -> WebElement:
        return self._driver.find_element("xpath", FIELD.format(label))

    def _fill(self, label: str, text: str) -> None:
        def filled() -> bool:
            field = self._field(label)
            field.send_keys(Keys.CONTROL, "a")
            field.send_keys(text)
            return field.get_attribute("value") == text

        self._wait(f"{label} cannot be filled in", filled)

    def _choose(self, label: str, text: str) -> None:
        option = f"//*[@role='option'][.='{text}' or starts-with(., '{text} (patches: ')]"

        def options() -> list[WebElement]:
            found = self._driver.find_elements("xpath", option)
            if not found:
                self._field(label).click()
            return found

        def chosen() -> bool:
            found = options()
            if found:
                found[0].click()
            return bool(found)

        self._wait(f"{text} is not offered as {label}", chosen)


PANEL = "//*[@data-cy='panel-content-similarity_search_panel']"
OPEN_PANEL = "//*[@arial-label='Open similarity panel' or @aria-label='Open similarity panel']"
FIELD = PANEL + "//label[.='{}']/ancestor::div[contains(@class, 'flex-col')][1]//*[self::input or self::textarea]"
SHOW_SIMILAR = "//*[starts-with(normalize-space(.), 'Show similar') and @title]"
PROMPT = "//input[@placeholder='Type anything!']"
SHOW_RESULTS = "//button[@aria-label='Show results']"
STATUS = ".//*[.='Completed' or .='Failed' or .='Running' or .='Pending']"

FIND_BOX = """
let box = document.querySelector("[data-cy=spotlight-section-forward]");
while (getComputedStyle(box).overflowY != "auto") box = box.parentElement;
const top = box.getBoundingClientRect().top, samples = [...box.querySelectorAll("[data-cy=looker]")];
"""
VISIBLE_IDS = (
    FIND_BOX
    + """
return samples.flatMap(sample => {
    const id = sample.querySelector("[data-cy=tag-id]"), at = sample.getBoundingClientRect();
    return id ? [[Math.round(at.top - top + box.scrollTop), Math.round(at.left), id.title.replace("id: ", "")]] : [];
});
"""
)
SCROLL_UP = (
    FIND_BOX
    + """
box.scrollTop = 0;
return samples.some(sample => Math.abs(sample.getBoundingClientRect().top - top) < 50);
"""
)
SCROLL_ON = FIND_BOX + "box.scrollTop += box.clientHeight * 0.9;"
MARK = "document.querySelectorAll('[data-cy=spotlight-section-forward]').forEach(part => part.seen = true);"
NEW_GRID = """
const parts = [...document.querySelectorAll("[data-cy=spotlight-section-forward]")];
return parts.length > 0 && parts.every(part => !part.seen);
"""
