// SPDX-License-Identifier: MIT
//
// cases.mjs - all cases, in the order they are reported in
//
// UNSEEN has the deliberate differences that no case can show.

import joining from './cases/joining.mjs';
import formats from './cases/formats.mjs';
import listening from './cases/listening.mjs';
import channels from './cases/channels.mjs';
import subscribing from './cases/subscribing.mjs';
import publishing from './cases/publishing.mjs';
import errors from './cases/errors.mjs';
import guarantees from './cases/guarantees.mjs';
import time from './cases/time.mjs';

export const CASES = [...joining, ...formats, ...listening, ...channels, ...subscribing,
	...publishing, ...errors, ...guarantees, ...time];

const CLOCK = 'the clock of the server would have to be set';
const STOP = 'the server would have to be stopped';
const THREAD = 'it would hold a thread of the server for good';

/* What the original does, as in the table, and why there is no case. */
export const UNSEEN = {
	'which of several matching subscriptions is named: by chance':
		'either server may name any',
	'a stream after a full queue blocks for ever': THREAD,
	'and the session behind that stream is gone': THREAD,
	'a stop of the application aborts the sessions, a stop of the server cuts them': STOP,
	'after the stop there is no server (404)': STOP,
	'the lease runs in ticks of a minute, so sessions end up to a minute early': CLOCK,
	'a tick ends even a busy stream': CLOCK,
};
