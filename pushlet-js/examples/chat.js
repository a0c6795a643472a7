/* SPDX-License-Identifier: MIT */
/*
 * chat.js - a room where people talk, and who is in it
 *
 * What is said is published to /chat/ROOM, the newest of which the server
 * remembers.  Who comes says hello to /presence/chat/ROOM and is answered, by
 * each of those who are there, to itself alone.  (Below /chat/ROOM the remembered
 * would be greetings.)  Who is not heard of for some time is gone, and so is
 * whose session the server says has left the room.
 */
'use strict';

const ROOM = (/[?&]room=([\w-]+)/.exec(location.search) || [])[1] || 'lobby';
const SUBJECT = `/chat/${ROOM}`;
const PRESENCE = `/presence${SUBJECT}`;
const LEFT = `/meta/subs${SUBJECT}`;
const BEAT = 20000;	/* ms; we say that we are still here */
const GONE = 150000;	/* ms; hidden pages may speak but once a minute */
const GRACE = 2000;	/* ms; for other tabs of a session that left */
const KEPT = 500;	/* messages on the page */
const TITLE = document.title;

const $ = (id) => document.getElementById(id);
const talk = $('talk');
const members = new Map();	/* by name of the tab: {nick, from, at} */
const pending = new Map();	/* own messages not yet seen, by key */
const seen = new Set();		/* keys of all messages on the page */
const me = stored(sessionStorage, 'me') || store(sessionStorage, 'me', random());
let unread = 0;

/* -- small things ----------------------------------------------------------- */

function random() {
	return Math.random().toString(36).slice(2) + Date.now().toString(36);
}

/* A browser that stores nothing: names are for this visit. */
function stored(storage, name) {
	try {
		return storage.getItem(name) || '';
	} catch {
		return '';
	}
}

function store(storage, name, value) {
	try {
		storage.setItem(name, value);
	} catch { /* as above */ }
	return value;
}

/* The same name has the same colour on every screen. */
function hue(name) {
	return [...name].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 360, 7);
}

function clock(seconds) {
	return new Date(seconds * 1000).toLocaleTimeString([],
		{ hour: '2-digit', minute: '2-digit' });
}

function make(name, className, text = '') {
	const element = document.createElement(name);

	element.className = className;
	element.textContent = text;
	return element;
}

/* -- what is said ----------------------------------------------------------- */

/* Put an item at the end, and keep the end in sight if it was. */
function append(item) {
	const atEnd = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 60;

	$('empty').hidden = true;
	talk.append(item);
	while (talk.children.length > KEPT)
		talk.children[1].remove();
	if (atEnd || item.classList.contains('mine'))
		talk.scrollTop = talk.scrollHeight;
}

function notice(text) {
	append(make('li', 'notice', text));
}

function message(name, words, mine, seconds) {
	const item = make('li', mine ? 'mine' : 'theirs');
	const who = make('div', 'who');
	const before = talk.lastElementChild;

	item.dataset.name = name;
	item.style.setProperty('--hue', hue(name));
	if (before.dataset.name !== name
	    || before.classList.contains('mine') !== mine)
		item.classList.add('first');
	who.append(make('b', '', mine ? 'You' : name), `  ${clock(seconds)}`);
	item.append(who, make('div', 'text', words));
	append(item);
	return item;
}

function onSaid(e) {
	const item = e.key && pending.get(e.key);

	if (e.p_subject !== SUBJECT || e.key && seen.has(e.key))
		return;		/* of a room whose name begins like ours; repeated */
	seen.add(e.key);
	pending.delete(e.key);
	if (item) {
		item.classList.remove('pending');
		return;
	}
	message(e.nick || 'somebody', e.text || '', e.who === me, e.p_time);
	if (document.hidden && !e.p_history)
		setUnread(unread + 1);
}

function setUnread(n) {
	unread = n;
	document.title = n ? `(${n}) ${TITLE}` : TITLE;
}

async function say(words) {
	const key = random();
	const item = message(myName(), words, true, Date.now() / 1000);

	item.classList.add('pending');
	pending.set(key, item);
	try {
		await p.publish(SUBJECT, { nick: myName(), text: words, key, who: me });
	} catch (error) {
		item.classList.add('refused');
		notice(`Refused by the server: ${error.message}`);
	}
}

/* -- who is here ------------------------------------------------------------ */

function myName() {
	return $('nick').value.trim() || $('nick').defaultValue;
}

/* action: hello, here or bye; to: one session instead of all */
function announce(action, to) {
	p.publish(PRESENCE, { action, who: me, nick: myName() }, { to })
		.catch((error) => page.show('status', error.message));
}

function drawMembers() {
	const list = [...members].sort(([a, x], [b, y]) =>
		(b === me) - (a === me) || x.nick.localeCompare(y.nick));

	$('count').textContent = list.length;
	$('who').replaceChildren(...list.map(([who, { nick }]) => {
		const item = make('li', who === me ? 'self' : '', nick);

		item.style.setProperty('--hue', hue(nick));
		item.title = nick;
		return item;
	}));
}

function drop(isGone) {
	for (const [who, member] of [...members])
		if (isGone(who, member)) {
			members.delete(who);
			notice(`${member.nick} left`);
		}
	drawMembers();
	if (!members.has(me) && p.state === 'live')
		announce('hello');	/* we are not: a tab of ours is */
}

function onPresence({ action, who, nick, p_from: from, p_subject: subject }) {
	const known = members.get(who);

	if (subject !== PRESENCE || !who || !nick)
		return;
	if (action === 'bye')
		return drop((other) => other === who);
	members.set(who, { nick, from, at: Date.now() });
	if (action === 'hello' && !known)
		notice(who === me ? `You came in as ${nick}` : `${nick} came in`);
	else if (known && known.nick !== nick)
		notice(`${known.nick} is now ${nick}`);
	if (action === 'hello' && who !== me)
		announce('here', from);
	drawMembers();
}

/* The server knows when a session leaves the room, whatever it died of.  That may
 * have been one of several tabs: the others say so. */
function onServerSays(e) {
	const then = Date.now();

	if (e.action !== 'unsubscribe' || e.subject !== SUBJECT)
		return;
	if (members.get(me)?.from === e.from)
		announce('here');
	setTimeout(drop, GRACE, (who, { from, at }) =>
		who !== me && from === e.from && at <= then);
}

function beat() {
	const now = Date.now();

	announce('here');
	drop((who, { at }) => who !== me && now - at > GONE);
}

/* The page goes: a request that outlives it. */
function goodbye() {
	if (p.id)
		navigator.sendBeacon(p.url, new URLSearchParams({ p_event: 'publish',
			p_id: p.id, p_subject: PRESENCE, action: 'bye', who: me,
			nick: myName() }));
}

/* -- the page --------------------------------------------------------------- */

$('room').textContent = ROOM[0].toUpperCase() + ROOM.slice(1);
$('nick').defaultValue = `Guest ${100 + Math.floor(Math.random() * 900)}`;
$('nick').value = stored(sessionStorage, 'nick') || stored(localStorage, 'nick')
	|| $('nick').defaultValue;

/* Before the Pushlet is made: it leaves on this event, too. */
window.addEventListener('pagehide', () => goodbye());
window.addEventListener('pageshow', (event) => {
	if (event.persisted)
		announce('hello');
});

const p = page.connect([
	[SUBJECT, onSaid, { last: 50 }],
	[PRESENCE, onPresence],
	[LEFT, onServerSays],
], () => announce('hello'));

p.on('rejoin', () => {
	notice('The connection was lost for a while; something may be missing');
	announce('hello');
});
p.on('gap', ({ lost }) => notice(`${lost} messages are lost`));
setInterval(beat, BEAT);

document.addEventListener('visibilitychange', () => {
	if (!document.hidden)
		setUnread(0);
});
$('form').addEventListener('submit', (event) => {
	event.preventDefault();
	if ($('text').value.trim())
		say($('text').value);
	$('text').value = '';
	$('text').focus();
});
$('text').addEventListener('keydown', (event) => {
	if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
		event.preventDefault();
		$('form').requestSubmit();
	}
});
$('nick').addEventListener('change', () => {
	$('nick').value = myName();
	store(sessionStorage, 'nick', myName());
	store(localStorage, 'nick', myName());
	announce('here');
});
$('text').focus();
