/* SPDX-License-Identifier: MIT */
/*
 * fuzz_sources.c - any bytes as the file of pushlet-sources
 */
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/utf8.h"
#include "sources/settings.h"

static char name[64];
static int fd;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fd = memfd_create("sources", 0);
	must(fd >= 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return 0;
}

/* What is promised of a source that was accepted. */
static void examine(const struct settings *s, const struct source_settings *one)
{
	const char *attribute = one->attribute;

	must(*one->name && strlen(one->name) < SOURCE_NAME_SIZE);
	must(*one->command && one->line > 0);
	must(utf8_valid(one->subject, strlen(one->subject)));
	must(*one->subject ||
	     (one->format == FORMAT_XML && one->when == WHEN_ALWAYS));
	must(event_name_valid(attribute, strlen(attribute)));
	must(one->rate >= 1 && one->rate <= 1000000);
	must(settings_find(s, one->name) == one);
	must(source_settings_same(one, one));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf report = BUF_INIT;
	struct settings s;
	size_t i;

	must(ftruncate(fd, 0) == 0);
	must(pwrite(fd, data, n, 0) == (ssize_t)n);
	if (settings_read(&s, name, &report) == 0) {
		must(s.restart_min <= s.restart_max && s.n <= SOURCES_MAX);
		for (i = 0; i < s.n; i++)
			examine(&s, &s.sources[i]);
		settings_release(&s);
	} else {
		must(report.len > 0);
	}
	buf_release(&report);
	return 0;
}
