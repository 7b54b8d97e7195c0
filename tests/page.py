#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# page.py fleet|many MOUNT: reports/index.html in a headless Chromium, from a copy and from a web server, with the
# fleet that test-page.c has prepared. Ends with 77 where the machine lacks something. With VIRFS_PAGE_SHOTS
# set, that directory gets pictures of it.

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    print('there is no python3-selenium')
    sys.exit(77)

PATIENCE = 60
PHONE = {'width': 360, 'height': 780, 'deviceScaleFactor': 1, 'mobile': True}
DESK = {'width': 1200, 'height': 1400, 'deviceScaleFactor': 1, 'mobile': False}


def start_browser(profile):
    driver, chromium = shutil.which('chromedriver'), shutil.which('chromium')
    if not driver or not chromium:
        print('there is no chromium with its driver')
        sys.exit(77)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ('--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars',
                     '--disable-background-networking', f'--user-data-dir={profile}'):
        options.add_argument(argument)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL', 'performance': 'ALL'})
    return webdriver.Chrome(options=options, service=Service(driver))


class Page:
    def __init__(self, browser):
        self.browser = browser

    def open(self, address):
        self.browser.get(address)
        self.eventually(lambda: self.texts('#glance .value'), 'it is drawn')

    def open_picture(self, address, name):
        """It is well-formed: else there would be an error in its place."""
        self.browser.get(address)
        assert self.js('document.documentElement.nodeName') == 'svg', name
        assert not self.all('parsererror') and self.js('document.documentElement.getBBox().width') > 0, name
        self.look(f'{name}-svg', DESK)
        self.browser.get_log('performance')

    def js(self, code, *args):
        return self.browser.execute_script(f'return {code}', *args)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        return self.js('[...document.querySelectorAll(arguments[0])].map((node) => node.textContent)', selector)

    def names(self):
        return self.texts('#guests tbody .name')

    def eventually(self, holds, what):
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, f'not even later: {what}'
            time.sleep(0.1)

    def look(self, name, size, scheme='light'):
        self.browser.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', size)
        self.browser.execute_cdp_cmd('Emulation.setEmulatedMedia',
                                     {'features': [{'name': 'prefers-color-scheme', 'value': scheme}]})
        shots = os.environ.get('VIRFS_PAGE_SHOTS')
        if shots:
            time.sleep(0.6)
            self.browser.save_screenshot(f'{shots}/{name}.png')

    def check_quiet(self, address):
        """Nothing was complained of, and nothing was asked for but the page itself."""
        said = [entry for entry in self.browser.get_log('browser') if entry['level'] != 'INFO']
        assert not said, said
        for entry in self.browser.get_log('performance'):
            message = json.loads(entry['message'])['message']
            if message['method'] == 'Network.requestWillBeSent':
                asked = message['params']['request']['url'].split('#')[0]
                assert asked == address or asked.startswith(('data:', 'chrome:')), asked


class Server:
    """What the manual shows: Python's web server upon the mount."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'http.server', '--directory', folder, '--bind', '127.0.0.1', str(self.port)],
            cwd='/', stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                socket.create_connection(('127.0.0.1', self.port)).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError('the web server does not start')

    def address(self):
        return f'http://127.0.0.1:{self.port}/index.html'

    def end(self):
        self.process.terminate()
        self.process.wait()


# --- What a person sees --------------------------------------------------------------------------


def check_first_sight(page):
    tiles = page.texts('#glance > div')
    assert tiles[0].startswith('Fullest hosth3'), tiles
    assert page.texts('#hosts tbody .name')[0] == 'h3'
    page.eventually(lambda: page.texts('#attention .object')[0] == 'h2-7', 'the guest that misbehaves is at the top')
    assert page.names()[0] == 'h2-7', page.names()[:5]
    assert page.js('document.getElementById("attention").getBoundingClientRect().bottom') < 1000
    assert page.js('document.title').startswith('('), 'the title tells how much needs attention'


def check_bad_names(page):
    assert page.js('document.title') != 'owned'
    assert not page.all('main img') and len(page.all('script')) == 2
    for words in ('<img src=x', '</script><script>', '\u202etxt.exe'):
        page.js('(document.getElementById("words").value = arguments[0], lookAgain())', words.split()[0])
        assert len(page.names()) == 1, (words, page.names())
    assert page.js('getComputedStyle(document.querySelector("#guests .name")).unicodeBidi') == 'isolate'
    page.js('(document.getElementById("words").value = "", lookAgain())')


def check_sorting(page):
    heading = page.one('th button[data-key=name]')
    heading.click()
    names = page.names()
    assert names == sorted(names) and heading.find_element(By.XPATH, '..').get_attribute('aria-sort') == 'ascending'
    heading.send_keys(Keys.ENTER)  # by keyboard
    assert page.names()[0] > page.names()[1]
    assert page.js('document.activeElement.dataset.key') == 'name'
    heading.send_keys(Keys.TAB)
    assert page.js('document.activeElement.dataset.key') == 'host'
    page.browser.switch_to.active_element.send_keys(Keys.SPACE)
    assert page.texts('#guests tbody tr td:nth-child(2)')[0] == 'h1'


def check_filter(page):
    box = page.one('#words')
    box.clear()
    box.send_keys('h4-1')
    assert page.names() and all(name.startswith('h4-1') for name in page.names())
    assert page.texts('#count') == ['11 of 200 guests']
    page.js('(document.getElementById("state").value = "shutoff", lookAgain())')
    assert len(page.names()) == 5


def check_refresh(page, mount):
    """What changes shows without a click, and the view stays as it is."""
    page.js('(document.getElementById("state").value = "", lookAgain())')
    page.one('#words').send_keys(Keys.END)
    page.js('window.scrollTo(0, 300)')
    page.js('(window.kept = document.querySelector("#guests tbody tr"))')
    (mount / 'vms/h4-11/state').write_text('paused\n')
    page.eventually(lambda: 'paused' in page.texts('#guests tbody .badge'), 'it refreshes itself')
    assert page.js('document.getElementById("words").value') == 'h4-1'
    assert page.js('document.activeElement.id') == 'words'
    assert page.js('window.scrollY') == 300 and page.js('window.kept.isConnected')
    assert page.js('document.querySelector("th[aria-sort] button").dataset.key') == 'host'
    page.browser.refresh()
    page.eventually(page.names, 'it is drawn again')
    assert len(page.names()) == 11, 'reloading keeps the view, too'
    page.js('(document.getElementById("words").value = "", lookAgain())')


def check_away(page, server):
    server.end()
    page.one('#refresh').click()
    page.eventually(lambda: 'cannot be refreshed' in page.texts('#status')[0], 'that the server is away is told')
    page.browser.get_log('browser')


def check_width(page, size):
    wide = page.js('[...document.querySelectorAll("body *")].filter((node) => node.getBoundingClientRect().right >'
                   ' arguments[0] && !node.closest(".hidden, .skip")).map((node) => node.outerHTML.slice(0, 80))',
                   size['width'])
    assert page.js('document.documentElement.scrollWidth') <= size['width'] and not wide, wide[:5]


def check_history(page):
    captions = page.texts('#history figcaption')
    assert [words.split(':')[0] for words in captions] == [
        'CPUs, last day', 'Memory, last day', 'Memory, last month', 'Storage, last month'], captions
    points = page.js('document.querySelector("#guests .spark polyline").points.length')
    assert points >= 55, points
    assert ['full on' in words for words in captions] == [False, False, True, False], captions


def check_age(page):
    assert page.texts('#status') == ['']
    page.js('(page.data.made -= 7200, drawAge())')
    assert page.texts('#status') == ['What is shown is stale: 2 h old.']
    page.js('(page.data.made += 7200, drawAge())')


def check_broken(page):
    """What cannot be read is shown as it is, and hides nothing else."""
    page.js('(window.kept = page.data, show({ ...kept, events: ["yesterday vms/x failed", "torn"] }))')
    assert page.texts('#events time') == ['yesterday', 'torn'], page.texts('#events time')
    assert page.texts('#events li span') == ['vms/x failed', ''], page.texts('#events li span')
    page.js('show({ made: kept.made, interval: kept.interval, vm_columns: kept.vm_columns })')
    assert not page.all('#events li') and not page.all('#hosts tbody tr')
    page.js('show(kept)')


def check_alarms(page):
    """The fake's guests were backed up years ago."""
    assert page.texts('#alarms .name') == ['backup-old'] and len(page.all('#alarms bdi')) == 13
    assert 'and 188 more' in page.texts('#alarms small')[0]


def check_pictures(page, mount):
    for name in ('capacity', 'usage', 'trend'):
        page.open_picture((mount / f'reports/{name}.svg').as_uri(), name)


def check_looks(page):
    back = 'getComputedStyle(document.body).backgroundColor'
    page.look('light', DESK)
    light = page.js(back)
    page.look('dark', DESK, 'dark')
    assert page.js(back) != light
    page.look('phone', PHONE)
    check_width(page, PHONE)
    page.look('phone-dark', PHONE, 'dark')
    page.look('desk', DESK)
    page.js('(document.getElementById("words").value = "h2-7", lookAgain())')
    page.js('document.getElementById("guests").scrollIntoView()')
    page.look('history', DESK)
    page.look('history-dark', DESK, 'dark')
    page.js('(document.getElementById("words").value = "", lookAgain())')
    page.js('window.scrollTo(0, 0)')
    check_width(page, DESK)


def check_words(page):
    """Who does not see it is told: headings, captions, labels, and what bars mean."""
    assert not [table for table in page.all('table') if not table.find_elements(By.TAG_NAME, 'caption')]
    assert page.js('[...document.querySelectorAll("[role=img]")].every((node) => node.getAttribute("aria-label"))')
    assert page.js('[...document.querySelectorAll("input, select")].every((node) => node.labels.length)')
    assert page.js('document.documentElement.lang') == 'en' and len(page.all('h1')) == 1


# --- The tests -----------------------------------------------------------------------------------


def fleet(page, mount, scratch):
    copy = scratch / 'copy.html'
    page.eventually(lambda: 'h2-7' in (mount / 'reports/attention.tsv').read_text(), 'rates are there')
    shutil.copyfile(mount / 'reports/index.html', copy)
    page.look('', DESK)
    page.open(copy.as_uri())
    check_first_sight(page)
    check_words(page)
    check_age(page)
    check_broken(page)
    check_history(page)
    check_alarms(page)
    check_looks(page)
    check_bad_names(page)
    page.check_quiet(copy.as_uri())

    check_pictures(page, mount)

    server = Server(mount / 'reports')
    try:
        page.open(server.address())
        check_first_sight(page)
        check_sorting(page)
        check_filter(page)
        check_refresh(page, mount)
        page.check_quiet(server.address())
        check_away(page, server)
    finally:
        server.end()


def many(page, mount, scratch):
    """Ten thousand guests: only what is in sight is made."""
    copy = scratch / 'copy.html'
    shutil.copyfile(mount / 'reports/index.html', copy)
    page.open(copy.as_uri())
    assert page.texts('#count') == ['10000 guests']
    assert len(page.names()) < 1000, len(page.names())
    page.one('#words').send_keys('h2-4999')
    assert page.names() == ['h2-4999']
    page.check_quiet(copy.as_uri())


def main():
    what, mount = sys.argv[1], pathlib.Path(sys.argv[2])
    os.chdir('/')
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        browser = start_browser(f'{scratch}/profile')
        try:
            {'fleet': fleet, 'many': many}[what](Page(browser), mount, pathlib.Path(scratch))
        finally:
            browser.quit()


main()
