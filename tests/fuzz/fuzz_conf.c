/* SPDX-License-Identifier: MIT */
/*
 * fuzz_conf.c - any bytes as a file of properties, and as one of option -o
 */
#include "fuzz.h"

#include "broker/properties.h"

static char name[64];
static int fd;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fd = fuzz_file(name, sizeof(name));
	return 0;
}

/* What the table and properties_check() promise of what they accept. */
static void examine(const struct properties *p)
{
	must(memchr(p->shm_name, '\0', sizeof(p->shm_name)));
	must(memchr(p->shm_group, '\0', sizeof(p->shm_group)));
	must(memchr(p->force_pull_agents, '\0', sizeof(p->force_pull_agents)));
	must(p->shm_name[0] == '/' && strlen(p->shm_name) >= 2);
	must(p->shm_mode >= 0600 && p->shm_mode <= 0666);
	must(p->sessions_max >= 1 && p->sessions_max <= 1000000);
	must(p->session_timeout >= 1000);
	must(p->pull_wait_min <= p->pull_wait_max);
	must(p->poll_wait_min <= p->poll_wait_max);
	must(p->event_bytes < p->log_bytes);
	must(p->overflow == OVERFLOW_DROP_OLDEST ||
	     p->overflow == OVERFLOW_ABORT);
	must(p->publish_from == FROM_HANDLE || p->publish_from == FROM_ID);
}

static void set_one(const char *text, struct buf *report)
{
	struct properties p;

	properties_defaults(&p);
	buf_clear(report);
	if (properties_set(&p, text, report) != 0)
		must(report->len > 0);
	else if (properties_check(&p, "-o", report) == 0)
		examine(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct properties old, p;
	struct buf report = BUF_INIT, text = BUF_INIT;

	fuzz_fill(fd, data, n);
	properties_defaults(&old);
	properties_defaults(&p);
	if (properties_read(&p, name, &report) == 0) {
		examine(&p);
		conf_reload(properties_table, &old, &p, &report);
	} else {
		must(report.len > 0);
	}
	buf_add(&text, data, n);
	set_one(buf_str(&text), &report);
	buf_release(&text);
	buf_release(&report);
	return 0;
}
