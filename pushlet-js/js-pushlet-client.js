/* SPDX-License-Identifier: MIT */
/*
 * js-pushlet-client.js - Pushlet client for pages with p_embed() and p_listen()
 *
 * Include it with one script tag, define the callbacks you care about (onData,
 * onNack, ...; onEvent gets what has no callback of its own), call p_embed()
 * and then p_join_listen('/subject').  The network is js-pushlet-net.html,
 * beside this file, in a hidden frame (see there); the server is pushlet.srv
 * beside this file (above, if that is a directory lib), or in the directory
 * webRoot given to p_embed().  All has to come from the page's own origin.
 *
 * Commands are sent one at a time, in the order of the calls, which may come
 * before the frame is there.  Events are numbered and acknowledged, so that
 * none is lost or repeated.  Whatever fails for a while is tried again with
 * growing pauses.  A session the server no longer knows is joined again with
 * the same subscriptions, and onRejoin(event) is called.  onConnection(event)
 * has p_state: closed, connecting, live, reconnecting or failed.
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
		    replace(/&/g, '&amp;').replace(/</g, '&lt;').
		    replace(/\0/g, '<td>').replace(/\x01/g, '<tr><td>') +
		    '</table>';
	}
};

(function () {
'use strict';
var RETRY_MIN = 500, RETRY_MAX = 30000;	/* ms; pauses after failures */
var script = document.currentScript.src;
var directory = script.replace(/[^/]*([?#].*)?$/, '');
var webRoot = directory.replace(/(^|\/)lib\/$/, '$1');
var serverGiven = false;		/* webRoot is the page's choice */
var calls = [];				/* [method, arguments] to be made */
var frame = null, net = null;		/* net: the frame's PL, once there */
var failures = 0, debug = false;

/* A URL of the page, for use by the frame, which has another base. */
function absolute(url) {
	var link = document.createElement('a');
	link.href = url;
	return link.href;
}

function callbackFor(type) {
	return window['on' + type.replace(/^hb/, 'heartbeat').replace(
	    /(^|-)(.)/g, (all, dash, c) => c.toUpperCase())] ||
	    (type !== 'rejoin' && type !== 'connection' && window.onEvent);
}

function flush() {
	while (net && calls.length) {
		var one = calls.shift();
		net[one[0]].apply(net, one[1]);
	}
}

/* The frame has what it needs, or an error page: then try it again. */
function loaded() {
	var pause;
	try {
		net = frame.contentWindow.PL;
	} catch (e) {
		net = null;		/* the browser's own error page */
	}
	if (net && net._format === 'js') {
		net.pushletURL = serverGiven ?
		    absolute(webRoot + 'pushlet.srv') : net.pushletURL;
		flush();
		return;
	}
	net = null;
	frame.remove();
	if (!failures)
		_push('p_event', 'error', 'p_reason', frame.src +
		    ' could not be loaded; it will be tried again');
	pause = Math.min(RETRY_MAX, RETRY_MIN * Math.pow(2, failures++));
	setTimeout(load, pause * (0.5 + Math.random() / 2));
}

function load() {
	frame = document.createElement('iframe');
	frame.style.display = 'none';
	frame.name = 'pushletNetFrame';
	frame.title = 'Pushlet network';
	frame.src = directory + 'js-pushlet-net.html';
	frame.onload = loaded;
	document.body.appendChild(frame);
}

/* Not before the page is complete: a frame would make that take longer. */
function embed() {
	if (frame)
		return;
	frame = document;			/* something: only once */
	if (document.readyState === 'complete')
		load();
	else
		window.addEventListener('load', load);
}

/* A function that calls a method of the network with the same arguments. */
function calling(method) {
	return function () {
		embed();
		calls.push([method, [].slice.call(arguments)]);
		flush();
	};
}

function given(root) {
	if (root === undefined || root === null)
		return;
	serverGiven = true;
	webRoot = root === '' || /\/$/.test(root) ? root : root + '/';
}

var joinListen = calling('joinListen'), listen = calling('listen');
var publish = calling('publish');

/* What the page calls, and what the frame calls: _push(name, value, ...). */
Object.assign(window, {
	p_embed: function (root) { given(root); embed(); },
	p_join: calling('join'),
	p_listen: (subject, mode) => listen(subject, mode || 'stream'),
	p_join_listen: (subject, mode) => joinListen(subject, mode || 'stream'),
	p_subscribe: calling('subscribe'),
	p_unsubscribe: calling('unsubscribe'),
	p_leave: calling('leave'),
	p_heartbeat: calling('heartbeat'),
	p_publish: function (subject) {
		for (var values = {}, i = 1; i + 1 < arguments.length; i += 2)
			values[arguments[i]] = arguments[i + 1];
		publish(subject, values);
	},
	p_getSessionId: () => net && net.sessionId,
	p_getWebRoot: () => webRoot,
	p_setDebug: (on) => { debug = !!on; },
	_push: function () {
		var event = new PushletEvent(), i, f;
		for (i = 0; i + 1 < arguments.length; i += 2)
			event.put(arguments[i], arguments[i + 1]);
		f = callbackFor(event.getEvent() || '');
		if (debug)
			console.log('pushlet:', event.toString());
		try {
			if (f)
				f(event);
		} catch (e) {		/* the page's mistake, not ours */
			setTimeout(() => { throw e; }, 0);
		}
	}
});
}());
