/* SPDX-License-Identifier: MIT */
/*
 * ajax-pushlet-client.js - Pushlet client for pages that use PL.* and p_*
 *
 * Include it with one script tag, define the callbacks you care about (onData,
 * onNack, ...; onEvent gets what has no callback of its own) and call
 * p_join_listen('/subject').  The server is looked for as pushlet.srv beside
 * this file (above, if that is a directory lib), or at PL.pushletURL.
 *
 * Commands are sent one at a time, in the order of the calls.  Events come by a
 * second request, numbered and acknowledged: none is lost or repeated.  What
 * fails for a while (no network, 502, restart) is tried again with growing
 * pauses; a command whose answer was lost may be carried out twice.  A session
 * the server no longer knows is joined again with the same subscriptions, and
 * onRejoin(event) is called; p_sid values that the page holds stay valid.
 *
 * Additions a page may use: a mode ('pull', 'stream', 'poll') as last argument
 * of PL.listen and PL.joinListen, and onConnection(event) with PL.connection:
 * closed, connecting, live, reconnecting or failed.
 */

/* An event: named values, to begin with those of an object. */
function PushletEvent(values) {
	this.arr = {};		/* '$' + name, which may be __proto__ */
	for (var name in values)
		this.put(name, values[name]);
}
PushletEvent.prototype = {
	put: function (name, value) { return (this.arr['$' + name] = value); },
	get: function (name) { return this.arr['$' + name]; },
	getEvent: function () { return this.get('p_event'); },
	getSubject: function () { return this.get('p_subject'); },
	toString: function (equals, blank) {
		return Object.keys(this.arr).map((key) => key.slice(1) +
		    (equals || '=') + this.arr[key]).join(blank || ' ');
	},
	/* HTML: a table with one row for each value. */
	toTable: function () {
		return '<table border=1><tr><td>' + this.toString('\0', '\x01').
		    replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/\0/g,
		    '<td>').replace(/\x01/g, '<tr><td>') + '</table>';
	}
};

var PL = (function () {
'use strict';
var RETRY_MIN = 500, RETRY_MAX = 30000;	/* ms; pauses after failures */
var SILENCE_MAX = 60000;	/* ms; a server sends a heartbeat before that */
var QUIET_MAX = 25000;		/* ms; more is suspicious after a sleep */
var QUERY_MAX = 1500;		/* characters; longer ones are a POST */
var STREAM_MAX = 1 << 20;	/* an XHR keeps all it read: then a new one */
var ACK_MAX = 16, ACK_TIME = 5000;	/* an ack waits for events, ms */
var REFRESH = { event: 'refresh', args: {} };
var queue = [], busy = false;	/* {event, args, silent, sub}; one under way */
var epoch = 0;			/* grows when a session ends: voids answers */
var joining = false, rejoining = false, listening = false, mode = 'pull';
var subs = [];			/* {args, sid: the page's, now: the server's} */
var channel = null, refreshTimer = null;
var last = 0, acked = 0;	/* numbers of events: had, and acknowledged */
var acking = false, ackTimer = null;
var waiting = {};		/* functions to be tried again, by timer */
var failures = {};		/* in a row: of a control, channel, rejoin */
var directory = document.currentScript ? document.currentScript.src.replace(
    /(\/lib)?\/[^\/?#]*([?#].*)?$/, '/') : '';

/* args: an object, or a query string, which may be encoded already */
function queryOf(args) {
	if (typeof args === 'string')
		return encodeURI(args).replace(/#/g, '%23').
		    replace(/%25([0-9A-Fa-f]{2})/g, '%$1');
	return new URLSearchParams(Object.entries(args).filter(
	    (pair) => pair[1] != null)).toString();
}

/* Callbacks belong to the page: its mistakes must not stop the channel. */
function callback(values) {
	var event = values.arr ? values : new PushletEvent(values);
	var type = event.getEvent();
	var f = window['on' + type.replace(/^hb/, 'heartbeat').replace(
	    /(^|-)(.)/g, (all, dash, c) => c.toUpperCase())];
	p_debug(PL.debug, 'pushlet:', event.toString());
	if (!f && type !== 'rejoin' && type !== 'connection')
		f = window.onEvent;
	try {
		f && f(event);
	} catch (e) {
		setTimeout(() => { throw e; }, 0);
	}
}

/* Tell the page when the connection has changed. */
function report() {
	var now = PL.state < 0 ? 'failed' : joining ? 'connecting' :
	    !PL.sessionId && !rejoining ? 'closed' : rejoining ||
	    failures.control || failures.channel ? 'reconnecting' : 'live';
	if (now !== PL.connection)
		callback({ p_event: 'connection',
		    p_state: (PL.connection = now) });
}

/* Run f after a random pause that doubles with each failure of its kind. */
function later(kind, f) {
	var mine = epoch, times = failures[kind] || 0;
	var pause = Math.min(RETRY_MAX, RETRY_MIN * Math.pow(2, times));
	var timer = setTimeout(go, pause * (0.5 + Math.random() / 2));
	function go() {
		clearTimeout(timer);
		delete waiting[timer];
		if (mine === epoch)
			f();
	}
	waiting[timer] = go;
	failures[kind] = times + 1;
	report();
}

/* The network is back or the page is seen again: no more pauses. */
function wake() {
	if (channel && Date.now() - channel.xhr.heard > QUIET_MAX)
		channel.xhr.abort();		/* a sleep may have cut it */
	for (var timer in waiting)
		waiting[timer]();
}

function character(all, hex, dec, name) {
	return !name ? String.fromCodePoint(hex ? parseInt(hex, 16) : dec) :
	    { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }[name];
}

/*
 * A reader takes an answer as it arrives and gives each() the complete events.
 * (An XML parser would wait for the end and turn line breaks into blanks.)
 */
function xmlReader(each) {
	var rest = '';
	return function (text) {
		var element = /<event((?:\s+[^\s=<>"]+\s*=\s*"[^"]*")+)\s*\/>/g;
		var value = /([^\s=]+)\s*=\s*"([^"]*)"/g, end = 0, found, pair;
		rest += text;
		while ((found = element.exec(rest))) {
			var event = new PushletEvent({ p_event: '' });
			while ((pair = value.exec(found[1])))
				event.put(pair[1], pair[2].replace(
				    /&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi,
				    character));
			end = element.lastIndex;
			each(event);
		}
		rest = rest.slice(end);
	};
}

/* What an answer means; gone: the session is unknown */
function verdict(status, text) {
	if (status === 400 && /expired id/i.test(text))
		return 'gone';
	return status === 200 ? 'ok' : status < 200 || status >= 500 ||
	    status === 408 || status === 429 ? 'retry' : 'refused';
}

/* The query of a command, with the ids that are valid at this moment. */
function queryFor(cmd) {
	var sub = cmd.event === 'unsubscribe' && subs.find(
	    (one) => one.sid === cmd.args.p_sid);
	var rest = queryOf(sub ? { p_sid: sub.now } : cmd.args);
	return 'p_event=' + cmd.event + (cmd.joins ? '&p_reliable=1&p_format=' +
	    PL._format : '&p_id=' + PL.sessionId + (last && /^(ref|li|hb)/.test(
	    cmd.event) ? '&p_ack=' + last : '')) + (rest && '&' + rest);
}

/*
 * Send cmd.  Each event of the answer goes to onEvent as it arrives; at the end
 * onEnd(verdict, answer).  Neither is called when the session ended meanwhile.
 */
function request(cmd, onEvent, onEnd, ch) {
	var xhr = new XMLHttpRequest(), query = queryFor(cmd), silence;
	var post = query.length > QUERY_MAX, url = PL.pushletURL;
	var size = 0, mine = epoch, read = PL._reader((event) => {
		if (mine === epoch)
			onEvent(event);
	}, ch ? 'data' : 'control');
	function watch() {
		clearTimeout(silence);
		silence = setTimeout(() => xhr.abort(), SILENCE_MAX);
		xhr.heard = Date.now();
	}
	function progress() {
		var text = xhr.status === 200 ?
		    xhr.responseText.slice(size) : '';
		watch();
		size += text.length;
		read(text);
		if (size > STREAM_MAX && ch && channel === ch)
			openChannel(REFRESH);
	}
	function end(status) {
		var text = status ? xhr.responseText : '';
		clearTimeout(silence);
		read('', true);
		if (mine === epoch)
			onEnd(verdict(status, text), cmd.event + ': HTTP ' +
			    status + ' ' + text.slice(0, 200));
	}
	/* A web server in front of several nodes sees no body. */
	xhr.open(post ? 'POST' : 'GET', url + (/[?]/.test(url) ? '&' : '?') + (post ?
	    'p_node=' + (/^[a-z0-9]+(?=-)/.exec(PL.sessionId) || '') : query), true);
	xhr.onprogress = progress;
	xhr.onload = () => { progress(); end(xhr.status); };
	xhr.onerror = xhr.onabort = () => end(0);
	watch();
	xhr.send(post ? new URLSearchParams(query) : null);
	return xhr;
}

function closeChannel() {
	var old = channel;
	channel = null;
	clearTimeout(refreshTimer);
	if (old)
		old.xhr.abort();
}

function noSession() {
	closeChannel();
	PL.sessionId = null;
	last = acked = 0;
}

/* The session is over; state is one of PL.STATE_*. */
function forget(state) {
	epoch++;
	noSession();
	PL.state = state;
	queue = state < 0 ? [] : queue;
	subs = [];
	waiting = {};
	failures = {};
	busy = acking = listening = joining = rejoining = false;
}

function failed(reason, fatal) {
	if (fatal)
		forget(PL.STATE_ERROR);
	report();
	callback({ p_event: 'error', p_reason: reason });
}

/* A new subscription gets a p_sid that the page has for no other. */
function addSub(args, event) {
	var now = event.get('p_sid'), sid = now;
	if (!now)
		return;
	while (subs.some((sub) => sub.sid === sid))
		sid += '_';
	subs.push({ sid: event.put('p_sid', sid), now: now,
	    args: { p_subject: args.p_subject, p_label: args.p_label } });
}

/* Keep our books by what the server says to cmd, then tell the page. */
function take(event, cmd) {
	var type = event.getEvent(), ack = /-ack$/.test(type);
	var sub = subs.find((one) => one.now === event.get('p_sid'));
	delete event.arr.$p_reliable;
	if (ack && /^(join|listen)/.test(type)) {
		listening = listening || type !== 'join-ack';
		PL.sessionId = event.get('p_id') || PL.sessionId;
		PL.state = PL.STATE_JOINED;
		mode = event.get('p_mode') || mode;
	}
	if (ack || type === 'nack')
		joining = false;
	if (cmd.sub)
		cmd.sub.now = event.get('p_sid');
	else if (ack && /listen|^sub/.test(type))
		addSub(cmd.args, event);
	else if (sub)
		event.put('p_sid', sub.sid);
	if (type === 'nack' ? cmd.sub : type === 'unsubscribe-ack')
		subs = subs.filter((other) => (sub || cmd.sub) &&
		    other !== (cmd.sub || sub));
	if (type === 'leave-ack' || type === 'abort')
		forget(type === 'abort' ? PL.STATE_ABORT : PL.STATE_READY);
	report();
	if (!ack || !cmd.silent)
		callback(event);
}

function settle() {
	busy = false;
	failures.control = 0;
	if (rejoining && !(queue[0] && queue[0].silent)) {
		rejoining = false;
		callback({ p_event: 'rejoin', p_id: PL.sessionId });
	}
	report();
	pump();
}

function answered(cmd, answers, means, why) {
	var first = answers.length ? answers[0].getEvent() : '';
	if (means === 'gone' && cmd.event === 'leave') {
		take(new PushletEvent({ p_event: 'leave-ack' }), cmd);
		settle();
	} else if (means === 'gone') {
		rejoin(cmd);
	} else if (means === 'refused') {
		failed(why, cmd.joins);
		settle();
	} else if (!first || cmd.silent && cmd.joins && first === 'nack') {
		later('control', () => perform(cmd));
	} else {
		answers.forEach((event) => take(event, cmd));
		settle();
	}
}

function perform(cmd) {
	var answers = [];
	if (cmd.joins && !cmd.silent) {
		if (PL.sessionId || PL.state < 0)
			forget(PL.STATE_READY);		/* starts a new life */
		busy = joining = true;
		report();
	}
	if (cmd.event === 'leave')
		closeChannel();
	if (/listen$/.test(cmd.event))
		openChannel(cmd, true);
	else
		request(cmd, (event) => answers.push(event),
		    (means, why) => answered(cmd, answers, means, why));
}

/* Send the first command that can go: all but a join need a session. */
function pump() {
	var i, ready = PL.state !== PL.STATE_NULL;
	for (i = 0; ready && !busy && i < queue.length; i++)
		if (PL.sessionId || queue[i].joins) {
			busy = true;
			perform(queue.splice(i, 1)[0]);
		}
}

function command(event, args) {
	queue.push({ event: event, args: args || {},
	    joins: event.indexOf('join') === 0 });
	pump();
}

/*
 * The session is unknown: join and subscribe again, then go on.  cmd: the
 * command under way that found out; none if it was the data channel.
 */
function rejoin(cmd) {
	var steps = [{ event: 'join', args: {}, joins: true }].concat(subs.map(
	    (sub) => ({ event: 'subscribe', args: sub.args, sub: sub })),
	    listening ? { event: 'listen', args: { p_mode: mode } } : []);
	steps.forEach((step) => { step.silent = true; });
	queue = steps.concat([cmd || steps[0]].concat(queue).filter(
	    (other) => !other.silent));
	noSession();
	rejoining = true;
	if (!cmd && busy)		/* that command will find out, too */
		return;
	busy = true;
	later('rejoin', () => { busy = false; pump(); });
}

/* Start a data request.  The one before may deliver what it has; the server
 * ends it.  owns: the queue of commands waits for the answer. */
function openChannel(cmd, owns) {
	var ch = { cmd: cmd, owns: owns, id: cmd.joins ? null : PL.sessionId,
	    wait: -1 };			/* xhr acked nacked */
	clearTimeout(refreshTimer);
	channel = ch;
	acked = last;
	ch.xhr = request(cmd, (event) => channelEvent(ch, event),
	    (means, why) => channelEnded(ch, means, why), ch);
}

/* Free the server of the events we had; a refresh does it by itself. */
function acknowledge() {
	ackTimer = null;
	if (acking || !PL.sessionId || last === acked)
		return;
	acking = true;
	acked = last;
	request({ event: 'hb', args: {} }, () => {}, () => {
		acking = false;
		if (last - acked >= ACK_MAX)
			acknowledge();
	});
}

/* Did the page have this event already? */
function repeated(event) {
	var eid = Number(event.get('p_eid')), known = eid <= last;
	delete event.arr.$p_eid;
	last = Math.max(last, eid || 0);
	if (mode === 'stream' && last - acked >= ACK_MAX)
		acknowledge();
	else if (mode === 'stream' && eid && !ackTimer)
		ackTimer = setTimeout(acknowledge, ACK_TIME);
	return known;
}

function channelEvent(ch, event) {
	if (ch.id && ch.id !== PL.sessionId)
		return;			/* left over from a session before */
	if (event.getEvent() === 'refresh') {
		ch.wait = Number(event.get('p_wait')) || 0;
		return;
	}
	ch[event.getEvent() === 'nack' ? 'nacked' : 'acked'] = true;
	if (ch.acked)
		failures.channel = failures.rejoin = 0;
	if (!repeated(event))
		take(event, ch.cmd);
	ch.id = PL.sessionId;
	if (ch.owns) {
		ch.owns = false;
		settle();
	}
}

function channelEnded(ch, means, why) {
	var next = ch.owns ? ch.cmd : ch.acked || !ch.nacked ? REFRESH :
	    { event: 'listen', args: { p_mode: mode } };
	var again = () => openChannel(next, ch.owns);
	if (ch !== channel)
		return;
	if (ch.wait >= 0)		/* the server said when to come back */
		refreshTimer = setTimeout(again, ch.wait);
	else if (means === 'gone')
		rejoin(ch.owns ? ch.cmd : null);
	else if (means === 'refused')
		failed(why, true);
	else if (ch.owns || listening)
		later('channel', again);
}

/* Do not leave a session behind (unless the browser keeps the page). */
function pageGone(event) {
	if (!event.persisted && PL.sessionId && navigator.sendBeacon)
		navigator.sendBeacon(PL.pushletURL, new URLSearchParams(
		    queryFor({ event: 'leave', args: {} })));
}

var addEvent = (target, type, f, capture) =>
    target.addEventListener(type, f, !!capture);
addEvent(window, 'load', () => PL._init());
addEvent(window, 'pagehide', pageGone);
['online', 'pageshow', 'visibilitychange'].forEach(
    (type) => addEvent(window, type, wake));

function listener(event) {
	return (subject, how) =>
	    command(event, { p_mode: how || 'pull', p_subject: subject });
}

return {
	STATE_ERROR: -2, STATE_ABORT: -1, STATE_NULL: 1, STATE_READY: 2,
	STATE_JOINED: 3, STATE_LISTENING: 3,
	pushletURL: null, webRoot: null, sessionId: null, state: 1,
	connection: 'closed', debug: false,
	_format: 'xml-strict', _reader: xmlReader, _addEvent: addEvent,
	join: () => command('join'),
	joinListen: listener('join-listen'), listen: listener('listen'),
	subscribe: (subject, label) =>
	    command('subscribe', { p_subject: subject, p_label: label }),
	unsubscribe: (sid) => command('unsubscribe', { p_sid: sid }),
	/* values: an object, or a string 'name=value&name=value' */
	publish: (subject, values) =>
	    command('publish', queryOf({ p_subject: subject }) +
	    (values ? '&' + queryOf(values) : '')),
	heartbeat: () => command('hb'), leave: () => command('leave'),
	setDebug: (on) => { PL.debug = !!on; },
	_init: () => {
		PL.webRoot = PL.webRoot || directory;
		PL.pushletURL = PL.pushletURL || PL.webRoot + 'pushlet.srv';
		if (PL.state === PL.STATE_NULL)
			PL.state = PL.STATE_READY;
		pump();
	}
};
}());

/* The same by function, as pages of old call it. */
var p_join = PL.join, p_listen = PL.listen, p_leave = PL.leave;
var p_subscribe = PL.subscribe, p_heartbeat = PL.heartbeat;
var p_unsubscribe = PL.unsubscribe;
function p_join_listen(subject) { PL.joinListen(subject); }
function p_embed(webRoot) { PL.webRoot = webRoot || PL.webRoot; }
function p_debug(on, label, value) { on && console.log(label, value); }
/* p_publish(subject, name, value, name, value, ...) */
function p_publish(subject) {
	for (var values = {}, i = 1; i + 1 < arguments.length; i += 2)
		values[arguments[i]] = arguments[i + 1];
	PL.publish(subject, values);
}
