"""The whole house through a real browser: one writes, the other sees it, and nobody reloads the page.

`make screenshot` lets the last of these stories write the picture of the README.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from selenium.common.exceptions import TimeoutException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from tests.serving import Service, serving

TEN = "2026-03-04T10:00+08:00"  # a Wednesday morning in Shanghai: promises come out as 10:30
LEAK = "厨房水管漏水了，麻烦派人来看看"
FILED = "已报修 #1：水管漏水，3栋2单元501厨房。10:30 前会有人接单"
ALERT = "【新报修】#1 水管漏水，3栋2单元501厨房"
CLAIMED = "接了 #1"
PATIENCE = 20.0  # seconds
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-proxy-server",
    "--lang=zh-CN",
)
LINES = """
return [...document.querySelectorAll(`section.chat[data-chat="${arguments[0]}"] ol.log li.line`)]
  .map((line) => (line.classList.contains("me") ? "我：" : "") + line.querySelector(".text").innerText);
"""


class Window:
    """One browser window with our page in it."""

    def __init__(self, browser: Chrome, address: str) -> None:
        self.browser = browser
        browser.get(address)
        self.connected()

    def connected(self) -> None:
        self.until(lambda: self.one('.link[data-state="open"]') is not None, "the page to be connected")

    def until(self, holds: Callable[[], object], what: str) -> None:
        try:
            WebDriverWait(self.browser, PATIENCE, 0.1).until(lambda _: holds())
        except TimeoutException:
            raise AssertionError(f"waited {PATIENCE:g} s for {what}") from None

    def one(self, selector: str) -> WebElement | None:
        return next(iter(self.browser.find_elements(By.CSS_SELECTOR, selector)), None)

    def chat(self, chat: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, f'section.chat[data-chat="{chat}"]')

    def tab(self, chat: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, f'.tab[data-chat="{chat}"]')

    def shown(self) -> list[str]:
        """The chats that are on the screen."""
        chats = self.browser.find_elements(By.CSS_SELECTOR, "section.chat")
        return [str(one.get_attribute("data-chat")) for one in chats if one.is_displayed()]

    def lines(self, chat: str) -> list[str]:
        """What stands in a chat, oldest first; one's own lines begin with 我：."""
        lines: list[str] = self.browser.execute_script(LINES, chat)
        return lines

    def sees(self, chat: str, *fragments: str) -> None:
        """One line of the chat comes to have all the fragments."""

        def there() -> bool:
            return any(all(part in line for part in fragments) for line in self.lines(chat))

        try:
            self.until(there, " and ".join(fragments))
        except AssertionError as exc:
            raise AssertionError(f"{exc} in {chat}, where stands: {self.lines(chat)}") from None

    def still(self) -> bool:
        """Nothing moves or fades at the moment."""
        return not self.browser.execute_script("return document.getAnimations().length")

    def say(self, chat: str, text: str) -> None:
        self.chat(chat).find_element(By.CSS_SELECTOR, "textarea").send_keys(text)
        self.chat(chat).find_element(By.CSS_SELECTOR, "button.send").click()

    def tap(self, chat: str, label: str) -> None:
        choices = self.chat(chat).find_elements(By.CSS_SELECTOR, "button.choice")
        next(one for one in choices if one.text == label).click()


Open = Callable[..., Window]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Service]:
    folder = tmp_path / "house"
    folder.mkdir()
    with serving(folder, "--demo", LINLI_CLOCK_START=TEN) as service:
        yield service


@pytest.fixture
def window(house: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens the page in a browser of its own with an empty profile; `size` as in 1400x900."""
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.1")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert chromium and driver, "no chromium or chromedriver: run tests/install_system.sh"
    with ExitStack() as opened:

        def open_(size: str = "1400x900") -> Window:
            profile = tmp_path / f"profile-{size}-{len(list(tmp_path.iterdir()))}"
            options = ChromeOptions()
            options.binary_location = chromium
            for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={size.replace('x', ',')}"):
                options.add_argument(flag)
            if size == "390x844":
                device = {"width": 390, "height": 844, "pixelRatio": 2, "touch": True, "mobile": True}
                options.add_experimental_option("mobileEmulation", {"deviceMetrics": device})
            browser = Chrome(options, Driver(executable_path=driver))
            opened.callback(browser.quit)
            return Window(browser, house.address)

        yield open_


def test_a_report_is_answered_and_claimed_by_a_tap_without_a_reload(window: Open) -> None:
    page = window()
    assert page.shown() == ["wangfang", "laoli", "group-xingfuli"]
    page.say("wangfang", LEAK)
    page.sees("wangfang", FILED)
    assert page.lines("wangfang")[0] == f"我：{LEAK}"
    page.sees("laoli", ALERT)
    page.tap("laoli", "接单")
    page.sees("laoli", "#1 归您了", "王芳")
    page.sees("wangfang", "李师傅", CLAIMED)


def test_a_claim_can_be_written_as_well(window: Open) -> None:
    page = window()
    page.say("wangfang", LEAK)
    page.sees("laoli", ALERT)
    page.say("laoli", "接 1")
    page.sees("laoli", "#1 归您了")
    page.sees("wangfang", CLAIMED)


def test_enter_sends_and_a_reload_shows_what_was_said(window: Open) -> None:
    page = window()
    page.chat("wangfang").find_element(By.CSS_SELECTOR, "textarea").send_keys(LEAK, Keys.ENTER)
    page.sees("wangfang", FILED)
    page.sees("laoli", ALERT)
    before = page.lines("wangfang"), page.lines("laoli")
    page.browser.refresh()
    page.connected()
    page.sees("laoli", ALERT)
    page.sees("wangfang", FILED)
    assert (page.lines("wangfang"), page.lines("laoli")) == before
    page.tap("laoli", "接单")
    page.sees("wangfang", CLAIMED)


def test_a_group_is_answered_without_anybodys_door(window: Open) -> None:
    page = window()
    speaker = Select(page.chat("group-xingfuli").find_element(By.CSS_SELECTOR, "select.speaker"))
    assert [one.text for one in speaker.options] == ["王芳", "李奶奶", "陈班长"]
    page.say("group-xingfuli", "今天天气真好")
    page.say("group-xingfuli", f"@邻里 {LEAK}")
    page.sees("group-xingfuli", "#1", "3栋")
    answers = [line for line in page.lines("group-xingfuli") if not line.startswith("我：")]
    assert len(answers) == 1, "chatter is not answered"
    assert "501" not in answers[0]
    page.sees("laoli", "【新报修】#1")
    speaker.select_by_visible_text("李奶奶")
    page.until(lambda: LEAK in page.lines("group-xingfuli")[1], "the line to be there")
    assert not page.lines("group-xingfuli")[1].startswith("我："), "seen by 李奶奶 it is another's"


def test_a_phone_shows_one_chat_and_counts_the_rest(window: Open) -> None:
    page = window("390x844")
    assert page.shown() == ["wangfang"]
    width = page.browser.execute_script("return document.documentElement.scrollWidth")
    assert width <= 390, "nothing sticks out to the side"
    page.say("wangfang", LEAK)
    page.sees("wangfang", FILED)
    page.until(
        lambda: page.tab("laoli").find_element(By.CSS_SELECTOR, ".unread").text == "1", "a mark at 老李"
    )
    page.tab("laoli").click()
    assert page.shown() == ["laoli"]
    page.sees("laoli", ALERT)
    assert not page.tab("laoli").find_element(By.CSS_SELECTOR, ".unread").is_displayed()
    page.tap("laoli", "接单")
    page.sees("laoli", "#1 归您了")
    page.tab("wangfang").click()
    page.sees("wangfang", CLAIMED)


def test_a_newcomer_on_the_list_is_let_in_at_once(window: Open) -> None:
    page = window()
    assert "xinlinju" not in page.shown()
    page.tab("xinlinju").click()
    page.say("xinlinju", "家里灯不亮了")
    page.sees("xinlinju", "登记住址")
    page.say("xinlinju", "8栋1单元302，周明")
    page.sees("xinlinju", "周明您好，登记好了")
    page.sees("xinlinju", "已报修 #1", "8栋1单元302")
    page.sees("laoli", "【新报修】#1")


def test_what_looks_like_html_stays_text(window: Open) -> None:
    page = window()
    nasty = "<img src=x onerror=\"document.title='broken'\"> 厨房水管漏水了<script>throw 1</script>"
    page.say("wangfang", nasty)
    page.sees("wangfang", "我：", nasty)
    page.sees("laoli", "【新报修】#1")
    page.browser.refresh()
    page.connected()
    page.sees("wangfang", "我：", nasty)
    assert page.one(".log img[src=x], .log script") is None
    assert page.browser.title == "幸福里"


def test_two_windows_hear_each_other(window: Open) -> None:
    hers, his = window("1000x800"), window("390x844")
    his.tab("laoli").click()
    hers.say("wangfang", LEAK)
    his.sees("laoli", ALERT)
    his.tap("laoli", "接单")
    hers.sees("wangfang", CLAIMED)
    hers.sees("laoli", "我：接 1")


def test_the_story_of_the_screenshot(window: Open) -> None:
    page = window()
    size = {"width": 1400, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.say("wangfang", LEAK)
    page.sees("wangfang", FILED)
    page.sees("laoli", ALERT)
    page.tap("laoli", "接单")
    page.sees("laoli", "#1 归您了")
    page.sees("wangfang", CLAIMED)
    page.say("group-xingfuli", "今天天气真好，谁家孩子要去活动室？")
    speaker = Select(page.chat("group-xingfuli").find_element(By.CSS_SELECTOR, "select.speaker"))
    speaker.select_by_visible_text("李奶奶")
    page.say("group-xingfuli", "@邻里 2号楼的电梯又坏了，我买菜上不去")
    page.sees("group-xingfuli", "#2")
    page.tap("laoli", "到了")
    page.sees("wangfang", "正在处理")
    page.until(lambda: page.one("button.choice:disabled") is None, "the taps to be over")
    page.until(page.still, "nothing to move any more")
    if target := os.environ.get("LINLI_SCREENSHOT"):
        Path(target).write_bytes(page.browser.get_screenshot_as_png())
