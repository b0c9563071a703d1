// Runs after chat.js in document order: when that did not start (old browser, broken download), say so.
if (!document.documentElement.getAttribute("data-started")) {
  var note = document.createElement("p");
  note.className = "no-script";
  note.textContent = /MicroMessenger/i.test(navigator.userAgent)
    ? "聊天没有打开。请关掉这一页再进一次；还是不行，请升级微信，或直接在公众号里发消息。" +
      " The chat did not open: please open it again, update WeChat, or write to the account."
    : "聊天没有打开。请刷新本页；还是不行，请升级浏览器或换一部手机。" +
      " The chat did not open: please reload, or use a newer browser.";
  document.body.insertBefore(note, document.body.firstChild);
}
