// SPDX-License-Identifier: MIT
//
// clients.test.mjs - each library, each mode, each kind of web server

import { after, before, describe } from 'node:test';
import { dialogues } from './dialogue.mjs';
import { FRONTS } from './place.mjs';
import { Tabs } from './tabs.mjs';

for (const front of FRONTS)
	describe(`behind ${front}`, () => {
		let tabs;

		before(async () => { tabs = await Tabs.open({ front }); });
		after(() => tabs?.close());

		dialogues(() => tabs);
	});
