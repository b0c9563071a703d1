// The page's own words. What the bot says comes translated from the server.

const ZH = {
  log: "聊天记录",
  menu: "菜单",
  whichTown: "您是哪个乡镇的？",
  whichTownHint: "点一下您的乡镇就行。不知道的，问村干部。",
  findTown: "写乡镇的名字找",
  switchTown: "换一个\n乡镇",
  back: "返回",
  older: "更早的消息",
  welcome: "您好！看见乱倒的垃圾、旧地膜，拍张照发到这里，有人管。查积分、查补贴也在这里。",
  begin: "开始",
  typing: "正在回复",
  newest: "新消息",
  below: "往下看",
  close: "关闭",
  photo: "拍照",
  album: "相册",
  video: "录像",
  place: "发送位置",
  sendPlace: "发送我的位置",
  more: "更多：照片、位置、设置",
  settings: "设置",
  letters: "字的大小",
  lettersNormal: "标准",
  lettersLarge: "大",
  lettersLarger: "特大",
  sound: "来了新消息响一声（晚上不响）",
  remind: "有消息时提醒我",
  remindOn: "好了。关了本页，来了新消息手机会提醒您（晚上只有急事才响）。提醒里只写“有新消息”。",
  remindNotHere: "这里收不到提醒，请常打开本页看看。",
  remindNotInWeChat: "微信里收不到这种提醒。要提醒的话，请用手机自带的浏览器打开本页。",
  remindApple: "苹果手机：先点“分享”，选“添加到主屏幕”，再从主屏幕打开本页，来这里打开提醒。",
  remindRefused: "手机没有允许提醒。请在浏览器的设置里允许本页发通知，再来打开。",
  remindNoService: "这个浏览器连不上它的提醒服务，收不到提醒。请常打开本页看看，或者换个浏览器。",
  remindLater: "网络不好，没有办成。请等一下再试。",
  signOut: "退出（不再用这台设备）",
  signOutAsk: "退出后，这台设备上看不到您的聊天，也收不到消息。要在别处接着用的，先在聊天里写“绑定”，把微信或另一台手机连上；只有这一处的话，退出后积分和身份就找不回来了。",
  signOutSure: "确定退出",
  ended: "这台设备上的登录已经结束（退出了，或很久没有用）。要接着用原来的聊天，请从微信或另一台手机连过来，或者找镇上重新邀请。",
  done: "好了",
  write: "写消息",
  send: "发送",
  viewer: "看图",
  previous: "上一张",
  following: "下一张",
  full: "看原图（{size} MB）",
  bot: "净乡",
  me: "我",
  image: "照片",
  movie: "录像",
  openMedia: "放大看：{name}",
  pickDate: "选日期",
  day: "{day} {time}",
  yesterday: "昨天 {time}",
  sending: "发送中",
  sent: "已送达",
  waiting: "等网络，连上就自动发出",
  busy: "现在人多，等一下自动再发",
  failed: "没有发出去",
  resend: "重发",
  sendRest: "只发其余 {count} 个",
  remove: "删除",
  connecting: "正在连接…",
  offline: "没有网络。您写的先存着，联网自动发。",
  unsaved: "手机空间不够，发完之前请不要关掉本页。",
  myPlace: "我的位置（误差约 {metres} 米）",
  locating: "正在找您的位置，请等一下…",
  placeRefused: "手机没有允许使用位置。请点聊天里的地名，或直接写地方，比如“王家沟桥头”。",
  placeTimeout: "找不到位置（信号弱）。请到空旷处再试，或直接写地方，比如“王家沟桥头”。",
  placeUnsupported: "这里用不了手机定位。请点聊天里的地名，或直接写地方，比如“王家沟桥头”。",
  tooMany: "一次最多发 9 个，先发前 9 个。",
  tooLarge: "“{name}”有 {size} MB，超过 20 MB，发不了。请换一张，或录短一点。",
  notPicture: "“{name}”不是照片或录像，发不了。",
  emptyFile: "“{name}”是空的，发不了。",
  fileGone: "手机里找不到这张照片了，请再选一次。",
  refused: "这条没能收下。",
  mediaFailed: "照片没出来，请关掉再点开一次",
  askText: "请写在这里",
  askNumber: "写个数，如：12",
  askWeight: "写重量，如：15.6公斤",
  askPercent: "写百分数，如：5%",
  askDate: "如：昨天、11月20日",
  askPlace: "或者写地方名",
  askPhotos: "拍照，或选照片",
  askPhotosWords: "拍照，或写几句",
  askChoice: "点一个按钮",
  askChoiceWords: "点按钮，或打字",
  askSecret: "输数字密码，旁人看不见",
};

const EN = {
  log: "Conversation",
  menu: "Menu",
  whichTown: "Which township are you from?",
  whichTownHint: "Tap your township. If you are not sure, ask your village office.",
  findTown: "Find it by its name",
  switchTown: "Change\ntownship",
  back: "Back",
  older: "Earlier messages",
  welcome: "Hello! Seen dumped rubbish or old mulch film? Send a photo here and someone will deal with it. Points and subsidies are here too.",
  begin: "Start",
  typing: "Writing an answer",
  newest: "New messages",
  below: "More below",
  close: "Close",
  photo: "Camera",
  album: "Photos",
  video: "Video",
  place: "Send location",
  sendPlace: "Send my location",
  more: "More: photos, location, settings",
  settings: "Settings",
  letters: "Size of the letters",
  lettersNormal: "Normal",
  lettersLarge: "Large",
  lettersLarger: "Very large",
  sound: "A sound for new messages (not at night)",
  remind: "Tell me when there is a message",
  remindOn: "Done. When this page is closed, the phone tells you of new messages (at night only what is urgent). It only says that there is one.",
  remindNotHere: "Notifications can't be had here; please look in from time to time.",
  remindNotInWeChat: "Not inside WeChat. To be told, open this page in the phone's own browser.",
  remindApple: "On an iPhone: tap Share, then “Add to Home Screen”; open this page from there and switch it on here.",
  remindRefused: "The phone did not allow it. Allow notifications of this page in the browser's settings, then try again.",
  remindNoService: "This browser can't reach its notification service. Please look in from time to time, or use another browser.",
  remindLater: "The network is bad; nothing was changed. Please try again in a moment.",
  signOut: "Sign out (this device is not used any more)",
  signOutAsk: "After that nobody sees your conversation on this device, and no message arrives here. To go on elsewhere, first write “link” in the chat and join WeChat or another phone: if this is your only chat, your points and your roles can't be reached any more.",
  signOutSure: "Sign out",
  ended: "The session on this device is over (signed out, or not used for long). To go on with the earlier conversation, join this page from WeChat or another phone, or ask the township for a new invitation.",
  done: "Done",
  write: "Write a message",
  send: "Send",
  viewer: "Picture viewer",
  previous: "Previous",
  following: "Next",
  full: "Full size ({size} MB)",
  bot: "Jingxiang",
  me: "Me",
  image: "Photo",
  movie: "Video",
  openMedia: "Enlarge: {name}",
  pickDate: "Pick a date",
  day: "{day}, {time}",
  yesterday: "Yesterday, {time}",
  sending: "Sending",
  sent: "Delivered",
  waiting: "Waiting for the network; will be sent by itself",
  busy: "It is busy just now; will be sent again by itself",
  failed: "Not sent",
  resend: "Send again",
  sendRest: "Send only the other {count}",
  remove: "Delete",
  connecting: "Connecting…",
  offline: "No network. What you write is kept on this phone and sent when you are back online.",
  unsaved: "The phone is full: please keep this page open until everything is sent.",
  myPlace: "My location (within about {metres} m)",
  locating: "Finding where you are, one moment…",
  placeRefused: "The phone did not allow its location. Tap a place in the chat, or write it, for example “bridge at Wangjiagou”.",
  placeTimeout: "No location found (weak signal). Try again in the open, or write the place, for example “bridge at Wangjiagou”.",
  placeUnsupported: "Location does not work here. Tap a place in the chat, or write it, for example “bridge at Wangjiagou”.",
  tooMany: "At most 9 at a time: the first 9 are being sent.",
  tooLarge: "“{name}” has {size} MB, more than 20 MB. Please choose another, or record a shorter one.",
  notPicture: "“{name}” is not a photo or a video.",
  emptyFile: "“{name}” is empty.",
  fileGone: "This photo is no longer on the phone. Please choose it again.",
  refused: "This one could not be taken.",
  mediaFailed: "The picture did not come; please close it and open it again",
  askText: "Write here",
  askNumber: "A number, e.g. 12",
  askWeight: "A weight, e.g. 15.6 kg",
  askPercent: "Per cent, e.g. 5%",
  askDate: "e.g. yesterday, 20 Nov",
  askPlace: "Or write the place",
  askPhotos: "Take or choose a photo",
  askPhotosWords: "Take a photo, or write",
  askChoice: "Tap a button",
  askChoiceWords: "Tap a button, or write",
  askSecret: "Your PIN, hidden from others",
};

let words = ZH;
let locale = "zh-CN";

/** Chooses the words: `language` is the server's ("zh_CN", "en") or the browser's ("en-GB"). */
export function setLanguage(language) {
  const english = /^en\b/i.test((language || "").replace("_", "-"));
  words = english ? EN : ZH;
  locale = english ? "en-GB" : "zh-CN";
  document.documentElement.lang = locale;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) {
    node.setAttribute("aria-label", t(node.dataset.tLabel));
  }
}

/** The page's text for a key, with its {placeholders} filled. */
export function t(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

function format(options, ms) {
  return new Intl.DateTimeFormat(locale, options).format(ms);
}

/** A separator such as "14:05", "昨天 14:05", "周五 14:05", "11月20日 14:05". */
export function timeLabel(atMs, nowMs) {
  const time = format({ hour: "2-digit", minute: "2-digit", hour12: false }, atMs);
  const midnight = new Date(nowMs).setHours(0, 0, 0, 0);
  const daysAgo = Math.round((midnight - new Date(atMs).setHours(0, 0, 0, 0)) / 86400000);
  if (daysAgo === 0) return time;
  if (daysAgo === 1) return t("yesterday", { time });
  if (daysAgo > 1 && daysAgo < 7) return t("day", { day: format({ weekday: "short" }, atMs), time });
  const sameYear = new Date(atMs).getFullYear() === new Date(nowMs).getFullYear();
  const date = sameYear ? { month: "long", day: "numeric" } : { year: "numeric", month: "long", day: "numeric" };
  return t("day", { day: format(date, atMs), time });
}
