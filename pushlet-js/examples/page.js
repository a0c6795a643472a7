/* SPDX-License-Identifier: MIT */
/*
 * page.js - what the example pages with pushlet.js share: the status mark in the
 * head, and the mode to listen in (streaming; ?mode=pull or ?mode=poll for the
 * others)
 */

var page = {
	mode: (/[?&]mode=(pull|poll|stream)\b/.exec(location.search) || [])[1] ||
	    'stream',

	texts: {
		closed: 'Not connected',
		connecting: 'Connecting',
		live: 'Live',
		reconnecting: 'Reconnecting'
	},

	show: function (id, text) {
		document.getElementById(id).textContent = text;
	},

	state: function (name) {
		document.getElementById('status').dataset.state = name;
		page.show('status', page.texts[name]);
	},

	/*
	 * A Pushlet (of ../pushlet.js) with these subscriptions, each the
	 * arguments of subscribe().  Live means that the server knows them all;
	 * then begin() is called.
	 */
	connect: function (wanted, begin) {
		var p = new Pushlet('../pushlet.srv', page.mode === 'stream' ?
		    { shared: true } : { transports: [page.mode] });
		var subscriptions = wanted.map(function (one) {
			return p.subscribe.apply(p, one).ready;
		}), ready = false;

		function show(now) {
			page.state(now.state === 'live' && !ready ? 'connecting' :
			    now.state);
		}
		p.on('state', show);
		p.on('error', function (e) { page.show('status', e.message); });
		Promise.all(subscriptions).then(function () {
			ready = true;
			show(p);
			if (begin)
				begin();
		}, function () { /* the error above */ });
		return p;
	}
};
