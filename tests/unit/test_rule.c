/* SPDX-License-Identifier: MIT */
/*
 * test_rule.c - base/rule.h, base/network.h: who may do what
 */
#include "unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/rule.h"

/* ---- networks ---- */

/* As broker/address.h has it. */
static void address_of(uint8_t out[NETWORK_BYTES], const char *text)
{
	memset(out, 0, NETWORK_BYTES);
	if (!*text || inet_pton(AF_INET6, text, out) == 1)
		return;
	memset(out + 10, 0xff, 2);
	ck_assert_int_eq(inet_pton(AF_INET, text, out + 12), 1);
}

static const struct {
	const char *network, *address;
	bool in;
} members[] = {
	{ "10.0.0.0/8", "10.255.0.1", true },
	{ "10.0.0.0/8", "11.0.0.1", false },
	{ "10.1.2.3/8", "10.0.0.1", true },
	{ "10.0.0.0/8", "::ffff:10.0.0.1", true },
	{ "10.0.0.0/8", "a00::1", false },
	{ "192.0.2.128/25", "192.0.2.128", true },
	{ "192.0.2.128/25", "192.0.2.127", false },
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.2", false },
	{ "192.0.2.1/32", "192.0.2.2", false },
	{ "0.0.0.0/0", "198.51.100.1", true },
	{ "0.0.0.0/0", "2001:db8::1", false },
	{ "::/0", "198.51.100.1", true },
	{ "::/0", "2001:db8::1", true },
	{ "::/0", "", false },
	{ "0.0.0.0/0", "", false },
	{ "2001:db8::/33", "2001:db8:7fff::1", true },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "2001:db8::1", "2001:db8::1", true },
	{ "2001:db8::1", "2001:db8::2", false },
	{ "::ffff:10.0.0.0/104", "10.9.9.9", true },
};

START_TEST(a_network_has_its_addresses)
{
	uint8_t address[NETWORK_BYTES];
	struct network net;

	ck_assert_int_eq(network_read(&net, members[_i].network,
				      strlen(members[_i].network)), 0);
	address_of(address, members[_i].address);
	ck_assert_msg(network_has(&net, address) == members[_i].in, "%s %s",
		      members[_i].network, members[_i].address);
}
END_TEST

static const char *const no_networks[] = {
	"", "/", "/8", "10", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
	"10.0.0.0/8x", "10.0.0.0/0008", "10.0.0/8", "::/129", "::/1000",
	"example.org", "10.0.0.0 ", "10.0.0.1:80", "[::1]",
	"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee",
};

START_TEST(nothing_else_is_a_network)
{
	struct network net;

	ck_assert_int_eq(network_read(&net, no_networks[_i],
				      strlen(no_networks[_i])), -1);
}
END_TEST

/* ---- lines ---- */

static const struct {
	const char *line, *why;
} bad[] = {
	{ "permit join", "must begin with allow or deny, not 'permit'" },
	{ "", "must begin with allow or deny" },
	{ "ALLOW join", "must begin with allow or deny" },
	{ "allow", "must say of what" },
	{ "allow everything", "'everything' is none of join, subscribe" },
	{ "allow join,", "'' is none of join" },
	{ "allow join /a", "'/a' is none of below, from, user, by" },
	{ "allow join below /a", "a join has no subject" },
	{ "allow publish below", "nothing behind 'below'" },
	{ "allow publish below /a below /b", "'below' stands there twice" },
	{ "allow publish from 10.0.0.0/64", "'10.0.0.0/64' is no address" },
	{ "allow publish from here", "'here' is no address" },
	{ "allow publish from 1.1.1.1,", "'' is no address" },
	{ "allow publish from ::1,::2,::3,::4,::5,::6,::7,::8,::9",
	  "at most 8 networks" },
	{ "allow publish user ann,,bob", "an empty name in 'ann,,bob'" },
	{ "allow publish by get", "by GET or by POST, not 'get'" },
	{ "allow publish by PUT", "by GET or by POST, not 'PUT'" },
};

START_TEST(a_bad_line_is_told_what_it_may_be)
{
	char line[128], why[256] = "";
	struct rule r;

	snprintf(line, sizeof(line), "%s", bad[_i].line);
	ck_assert_int_eq(rule_read(&r, line, why, sizeof(why)), -1);
	ck_assert_msg(strstr(why, bad[_i].why) != NULL, "%s", why);
}
END_TEST

/* ---- cases ---- */

/* What README and manual show. */
static const char example[] =
	"allow publish below /quotes from 10.0.0.0/8,::1\n"
	"deny publish below /quotes\n"
	"allow publish below /chat\n"
	"deny\tpublish \n"
	"allow subscribe below /private/all\n"
	"allow subscribe below /private user *\n"
	"deny subscribe below /private\n";

static const char people[] =
	"deny join user bob from 192.0.2.0/24\n"
	"allow subscribe below /a/b\n"
	"deny subscribe below /a\n"
	"deny unicast user ann,carol\n"
	"deny publish by GET\n";

static const struct {
	const char *book, *asked, *subject, *from, *user;
	unsigned denied_by;
	const char *where;
} cases[] = {
	{ example, "publish", "/quotes/x", "10.1.2.3", "", 0, NULL },
	{ example, "publish", "/quotes/x", "::1", "", 0, NULL },
	{ example, "publish", "/quotes/x", "11.1.2.3", "", 2, NULL },
	{ example, "publish", "/quotes", "", "", 2, NULL },
	{ example, "publish", "/quotesque", "11.1.2.3", "ann", 2, NULL },
	{ example, "publish", "/chat/1", "11.1.2.3", "", 0, NULL },
	{ example, "publish", "/Chat/1", "11.1.2.3", "", 4, NULL },
	{ example, "publish", "/cha", "10.0.0.1", "ann", 4, NULL },
	{ example, "publish", "//chat", "10.0.0.1", "ann", 4, NULL },
	{ example, "publish", "", "10.0.0.1", "ann", 4, NULL },
	{ example, "unicast", "/chat/1", "11.1.2.3", "", 0, NULL },
	{ example, "unicast", "/other", "10.0.0.1", "", 4, NULL },
	{ example, "join", "", "11.1.2.3", "", 0, NULL },
	{ example, "subscribe", "/quotes", "11.1.2.3", "", 0, NULL },
	{ example, "subscribe", "/private", "10.0.0.1", "", 7, NULL },
	{ example, "subscribe", "/private", "10.0.0.1", "ann", 0, NULL },
	{ example, "subscribe", "/private/x", "10.0.0.1", "", 7, NULL },
	{ example, "subscribe", "/private/all", "10.0.0.1", "", 0, NULL },
	{ example, "subscribe", "/private/all/x", "10.0.0.1", "", 0, NULL },
	{ example, "subscribe", "/private/al", "10.0.0.1", "", 7, NULL },
	{ example, "subscribe", "/", "10.0.0.1", "", 7, "/private" },
	{ example, "subscribe", "", "10.0.0.1", "", 7, "/private" },
	{ example, "subscribe", "/priv", "10.0.0.1", "", 7, "/private" },
	{ example, "subscribe", "/", "10.0.0.1", "ann", 0, NULL },
	{ example, "subscribe", "/pub", "10.0.0.1", "", 0, NULL },
	{ people, "join", "", "192.0.2.7", "bob", 1, NULL },
	{ people, "join", "", "192.0.3.7", "bob", 0, NULL },
	{ people, "join", "", "192.0.2.7", "bobby", 0, NULL },
	{ people, "join", "", "192.0.2.7", "", 0, NULL },
	{ people, "subscribe", "/a", "", "", 3, NULL },
	{ people, "subscribe", "/a/b", "", "", 0, NULL },
	{ people, "subscribe", "/", "", "", 3, "/a" },
	{ people, "unicast", "/x", "", "ann", 4, NULL },
	{ people, "unicast", "/x", "", "carol", 4, NULL },
	{ people, "unicast", "/x", "", "ann,carol", 0, NULL },
	{ people, "unicast", "/x", "", "*", 0, NULL },
	{ people, "publish", "/x", "", "ann", 0, NULL },
	{ people, "publish-get", "/x", "", "ann", 5, NULL },
	{ people, "unicast-get", "/x", "", "dora", 5, NULL },
	{ "deny subscribe below /p from 10.0.0.0/8\n", "subscribe", "/",
	  "10.0.0.1", "", 1, "/p" },
	{ "deny subscribe below /p from 10.0.0.0/8\n", "subscribe", "/",
	  "11.0.0.1", "", 0, NULL },
	{ "allow subscribe\ndeny subscribe below /p\n", "subscribe", "/",
	  "", "", 0, NULL },
	{ "deny publish below /p\n", "subscribe", "/", "", "", 0, NULL },
	{ "", "publish", "/x", "", "", 0, NULL },
};

static unsigned acts_of(const char *asked)
{
	if (strcmp(asked, "join") == 0)
		return RULE_JOIN;
	if (strcmp(asked, "subscribe") == 0)
		return RULE_SUBSCRIBE;
	return RULE_PUBLISH | (*asked == 'u' ? RULE_UNICAST : 0);
}

START_TEST(the_first_rule_that_matches_decides)
{
	uint8_t address[NETWORK_BYTES];
	struct rule_case c = {
		.acts = acts_of(cases[_i].asked),
		.subject = cases[_i].subject,
		.address = address,
		.user = cases[_i].user,
		.method = strstr(cases[_i].asked, "get") ? "GET" : "POST",
	};
	const char *where = cases[_i].where, *subject;
	struct rulebook book;

	address_of(address, cases[_i].from);
	ck_assert_int_eq(rulebook_read(&book, cases[_i].book), 0);
	ck_assert_msg(rulebook_denies(&book, &c, &subject) ==
		      cases[_i].denied_by, "%s %s from '%s' as '%s'",
		      cases[_i].asked, cases[_i].subject, cases[_i].from,
		      cases[_i].user);
	if (cases[_i].denied_by)
		ck_assert_str_eq(subject, where ? where : c.subject);
	rulebook_release(&book);
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("rule");

	tcase_add_loop_test(tc, a_network_has_its_addresses, 0, ROWS(members));
	tcase_add_loop_test(tc, nothing_else_is_a_network, 0,
			    ROWS(no_networks));
	tcase_add_loop_test(tc, a_bad_line_is_told_what_it_may_be, 0,
			    ROWS(bad));
	tcase_add_loop_test(tc, the_first_rule_that_matches_decides, 0,
			    ROWS(cases));
	return unit_run();
}
