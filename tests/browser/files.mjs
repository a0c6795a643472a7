// SPDX-License-Identifier: MIT
//
// files.mjs - what the pages of tests are made of: pushlet-js, and pages of ours

import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { ROOT } from '../lib/paths.mjs';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript',
	'.mjs': 'text/javascript', '.css': 'text/css' };

/* In the manner of old: global callbacks, no onRejoin, inline script. */
const LEGACY = `<!DOCTYPE html><html><head><title>legacy</title>
<link rel="icon" href="data:,">
<script type="text/javascript" src="lib/ajax-pushlet-client.js"></script>
<script type="text/javascript">
var events = [];
function keep(event) {
	var copy = {}, i, parts = ['p_event', 'p_subject', 'p_sid', 'p_label',
	    'p_reason', 'p_id', 'p_mode', 'text', 'a', 'b', 'n'];
	for (i = 0; i < parts.length; i++)
		if (event.get(parts[i]) != null) copy[parts[i]] = event.get(parts[i]);
	events.push(copy);
}
function onData(event) { keep(event); }
function onJoinAck(event) { keep(event); }
function onJoinListenAck(event) { keep(event); }
function onListenAck(event) { keep(event); }
function onSubscribeAck(event) { keep(event); }
function onUnsubscribeAck(event) { keep(event); }
function onHeartbeatAck(event) { keep(event); }
function onLeaveAck(event) { keep(event); }
function onNack(event) { keep(event); }
function onError(event) { keep(event); }
function onAbort(event) { keep(event); }
</script></head><body>An old page</body></html>`;

const FRAME = LEGACY.replace('ajax-pushlet-client', 'js-pushlet-client').replace(
	'An old page', '<script type="text/javascript">p_embed();</script>$&');

/* With pushlet.js: subscriptions fill boxes, whatever else happens the log. */
const TAB = `<!DOCTYPE html><meta charset="utf-8"><title>tab</title>
<link rel="icon" href="data:,">
<script src="pushlet.js"></script>
<script>
const boxes = [], log = [];
let p;
function start(url, options) {
	p = new Pushlet(url, options);
	for (const name of ['open', 'close', 'reconnect', 'rejoin', 'gap',
		'fallback', 'error', 'state'])
		p.on(name, (d) => log.push({ ...d, message: d.message, name }));
}
function subscribe(subject, options) {
	const box = { events: [] };
	box.sub = p.subscribe(subject, (e) => box.events.push(e), options);
	return boxes.push(box) - 1;
}
</script>`;

const PAGES = {
	'legacy.html': () => LEGACY,
	'frame.html': (embed) => FRAME.replace('p_embed()',
		`p_embed(${JSON.stringify(embed) ?? ''})`),
	'tab.html': () => TAB,
};

/* What is to be found at this URL: { type, body }.  embed: what the frame page
 * gives p_embed() */
export function file(url, embed) {
	const path = new URL(url).pathname.replace(/^\/pushlet\/(lib\/)?/, '');

	return { type: `${TYPES[extname(path)]}; charset=utf-8`,
		body: PAGES[path]?.(embed)
			?? readFileSync(join(ROOT, 'pushlet-js', path)) };
}
