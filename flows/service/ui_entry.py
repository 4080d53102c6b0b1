"""The way into the UI without typing its password: a private file that a browser opens.

The file sends the browser to a page of the guarded server, with the password behind the `#`, which browsers do not
send. The page tries the password, keeps it where Prefect's UI looks for it, and goes to the UI.
"""

from pathlib import Path
from urllib.parse import quote

from flows.service.passwords import write_private

FILE = "open-ui.html"  # under Prefect's folder, while `captchas up` runs
PATH = "/open-ui"  # of the page
PAGE = b"""<!doctype html><meta charset="utf-8"><title>captchas</title><body><script>
const key = btoa(decodeURIComponent(location.hash.slice(1)));
history.replaceState(null, "", location.pathname);
fetch("/api/admin/version", {headers: {Authorization: "Basic " + key}}).then(answer => {
  if (answer.ok) {
    localStorage.setItem("prefect-password", key);
    location.replace("/");
  } else {
    document.body.textContent = "The server refuses this password. Open the file that captchas up names now.";
  }
});
</script>
"""
HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; script-src 'unsafe-inline'; connect-src 'self'; "
                                 b"frame-ancestors 'none'"),
]  # fmt: skip


def write_entry(folder: Path, url: str, password: str) -> Path:
    """Write the file for the server at `url`, readable for this user alone, and return its path.

    Raises
    ------
    NoSpace, Unwritable
    """
    target = f"{url}{PATH}#{quote(password, safe='')}"
    page = f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={target}">\n'
    write_private(folder / FILE, page.encode())
    return folder / FILE
