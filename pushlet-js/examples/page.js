/* SPDX-License-Identifier: MIT */
/*
 * page.js - what the example pages share: the status mark in the head, and the
 * mode to listen in (streaming; ?mode=pull or ?mode=poll for the others)
 */

var page = {
	mode: (/[?&]mode=(pull|poll|stream)\b/.exec(location.search) || [])[1] ||
	    'stream',

	texts: {
		closed: 'Not connected',
		connecting: 'Connecting',
		live: 'Live',
		reconnecting: 'Reconnecting',
		failed: 'Disconnected'
	},

	show: function (id, text) {
		document.getElementById(id).textContent = text;
	},

	/* Join and listen to a subject: in one, so that live means subscribed. */
	start: function (subject) {
		onConnection();
		PL.joinListen(subject, page.mode);
	}
};

function onConnection() {
	document.getElementById('status').dataset.state = PL.connection;
	page.show('status', page.texts[PL.connection]);
}

/* The server ended the session, or refused us: say so where it is seen. */
function onAbort(event) {
	page.show('status', event.get('p_reason') || 'Ended by the server');
}

function onError(event) {
	page.show('status', event.get('p_reason'));
}
