/* SPDX-License-Identifier: MIT */
/*
 * driver.c - a main() for fuzzers where there is no libFuzzer: a short look
 *
 * usage: fuzz_NAME [-s SEED] [-n COUNT] [-t SECONDS] [-l LIMIT]
 *        fuzz_NAME [-l LIMIT] FILE...
 *
 * The first form, in the top directory, tries each file of
 * tests/fuzz/corpus/NAME, then up to COUNT mutations of them for up to SECONDS,
 * and prints an `ok' or `not ok' for each file and for all mutations.  The same
 * SEED makes the same mutations.  Each trial is made by a process of its own: a
 * signal, a status other than 0 (a report of a sanitizer has one) and an input
 * that takes more than LIMIT seconds are findings.  What input it was stands in
 * memory that is shared with that process, and is kept in
 * $PUSHLET_BUILD/findings.
 *
 * The second form tries the files in this process, which a debugger can watch.
 *
 * Behind an input is a page that nobody may touch.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "mutation.h"

/* Some fuzzers need none. */
#pragma weak LLVMFuzzerInitialize

enum { PAGE = 4096, ROOM = 64 * PAGE };

/* Where the process that tries is, for the one that waits. */
struct progress {
	uint64_t begun;		/* mutations */
	size_t n;		/* bytes of the input, which end at the guard */
	bool ended;		/* all were tried: it is a leak */
};

struct trial {
	const char *name;
	uint64_t seed, count;
	int64_t ms;
	struct stock files, words;
	char **paths;		/* of the files */
	const struct buf *file;	/* the one to try, or NULL: mutations */
};

static struct progress *progress;
static unsigned limit = 10;	/* seconds that an input may take */
static uint8_t *guard;

static void make_room(void)
{
	char *room = mmap(NULL, PAGE + ROOM + PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(room != MAP_FAILED);
	progress = (struct progress *)room;
	guard = (uint8_t *)room + PAGE + ROOM;
	must(mprotect(guard, PAGE, PROT_NONE) == 0);
}

/* -- in the process that tries -------------------------------------------- */

static void try_input(const void *bytes, size_t n)
{
	must(n <= ROOM);
	progress->n = n;
	if (n)
		memcpy(guard - n, bytes, n);
	alarm(limit);
	LLVMFuzzerTestOneInput(guard - n, n);
	alarm(0);
}

static void try_file(const struct buf *file)
{
	try_input(buf_str(file), file->len);
}

static void try_mutations(const struct trial *t)
{
	int64_t end = clock_ms() + t->ms;
	uint8_t bytes[MUTATION_MOST];

	while (progress->begun < t->count && clock_ms() < end) {
		size_t n = mutate(t->seed << 32 | progress->begun, &t->files,
				  &t->words, bytes);

		progress->begun++;
		try_input(bytes, n);
	}
}

static void initialize(void)
{
	static char *argv[] = { NULL };
	char **args = argv;
	int argc = 0;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &args);
}

/* -- in the process that waits -------------------------------------------- */

static int run(const struct trial *t)
{
	static const struct rlimit no_core;
	char shm[FUZZ_SHM_SIZE];
	int status;
	pid_t pid;

	*progress = (struct progress){ 0 };
	fflush(NULL);
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		initialize();
		if (t->file)
			try_file(t->file);
		else
			try_mutations(t);
		progress->ended = true;
		exit(0);
	}
	must(waitpid(pid, &status, 0) == pid);
	shm_unlink(fuzz_shm_name(shm, pid));
	return status;
}

static void print_status(int status)
{
	if (WIFEXITED(status))
		printf("ended with status %d", WEXITSTATUS(status));
	else if (WTERMSIG(status) == SIGALRM)
		printf("took longer than %u s", limit);
	else
		printf("died of signal %d, %s", WTERMSIG(status),
		       strsignal(WTERMSIG(status)));
}

static const char *build(void)
{
	const char *dir = getenv("PUSHLET_BUILD");

	return dir ? dir : "build";
}

static void keep(const char *path)
{
	FILE *f = fopen(path, "wb");
	bool kept = f && fwrite(guard - progress->n, 1, progress->n, f) ==
			 progress->n;

	if (f && fclose(f) != 0)
		kept = false;
	if (!kept)
		printf("# not kept: %s: %s\n", path, strerror(errno));
}

static bool check_file(const struct trial *t, const char *path)
{
	int status = run(t);

	printf("%s %s", status ? "not ok" : "ok", path);
	if (status) {
		printf(": ");
		print_status(status);
		printf("\n# again: %s/test/fuzz_%s %s", build(), t->name, path);
	}
	printf("\n");
	return status == 0;
}

static void report_mutation(const struct trial *t, int status)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/findings", build());
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/findings/%s-%lu-%lu", build(), t->name,
		 (unsigned long)t->seed, (unsigned long)progress->begun);
	printf("not ok %s: %smutation %lu of seed %lu ", t->name,
	       progress->ended ? "a leak before " : "",
	       (unsigned long)progress->begun, (unsigned long)t->seed);
	print_status(status);
	printf("\n# again: %s/test/fuzz_%s %s\n", build(), t->name, path);
	printf("# all that led there: %s/test/fuzz_%s -s %lu -n %lu -t 600\n",
	       build(), t->name, (unsigned long)t->seed,
	       (unsigned long)progress->begun);
	keep(path);
}

static bool check_mutations(struct trial *t)
{
	int64_t began = clock_ms();
	int status;

	t->file = NULL;
	status = run(t);
	if (status)
		report_mutation(t, status);
	else
		printf("ok %s: %lu mutations of seed %lu in %.1f s\n", t->name,
		       (unsigned long)progress->begun, (unsigned long)t->seed,
		       (double)(clock_ms() - began) / 1000);
	return status == 0;
}

/* -- what is tried -------------------------------------------------------- */

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* A corpus without a file is our own mistake. */
static void read_corpus(struct trial *t)
{
	struct dirent **entries;
	char path[512];
	int i, n;

	snprintf(path, sizeof(path), "tests/fuzz/corpus/%s", t->name);
	n = scandir(path, &entries, visible, alphasort);
	if (n <= 0) {
		printf("not ok %s: no seed in %s\n", t->name, path);
		exit(1);
	}
	t->paths = calloc((size_t)n, sizeof(*t->paths));
	must(t->paths);
	for (i = 0; i < n; i++) {
		must(asprintf(&t->paths[i], "%s/%s", path,
			      entries[i]->d_name) > 0);
		must(stock_file(stock_add(&t->files), t->paths[i]) == 0);
		free(entries[i]);
	}
	free(entries);
	snprintf(path, sizeof(path), "tests/fuzz/%s.dict", t->name);
	stock_words(&t->words, path);
}

static void release(struct trial *t)
{
	size_t i;

	for (i = 0; i < t->files.n; i++)
		free(t->paths[i]);
	free(t->paths);
	stock_release(&t->files);
	stock_release(&t->words);
}

static int check_all(struct trial *t)
{
	bool good = true;
	size_t i;

	read_corpus(t);
	for (i = 0; i < t->files.n; i++) {
		t->file = &t->files.items[i];
		good &= check_file(t, t->paths[i]);
	}
	good &= check_mutations(t);
	release(t);
	return good ? 0 : 1;
}

static int try_files(char **paths)
{
	struct buf file = BUF_INIT;

	initialize();
	for (; *paths; paths++) {
		buf_clear(&file);
		if (stock_file(&file, *paths) != 0) {
			perror(*paths);
			return 2;
		}
		try_file(&file);
		printf("ok %s\n", *paths);
	}
	buf_release(&file);
	return 0;
}

/* A whole number, or we end. */
static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (*end || *text < '0' || *text > '9' || n > UINT32_MAX) {
		fprintf(stderr, "fuzz: a whole number up to 4294967295, not "
			"'%s'\n", text);
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	struct trial t = {
		.name = program_invocation_short_name,
		.seed = 1, .count = 50000, .ms = 2000
	};
	int option;

	while ((option = getopt(argc, argv, "s:n:t:l:")) != -1)
		switch (option) {
		case 's': t.seed = number(optarg); break;
		case 'n': t.count = number(optarg); break;
		case 't': t.ms = (int64_t)number(optarg) * 1000; break;
		case 'l': limit = (unsigned)number(optarg); break;
		default: return 2;
		}
	must(strncmp(t.name, "fuzz_", 5) == 0);
	t.name += 5;
	make_room();
	return argv[optind] ? try_files(argv + optind) : check_all(&t);
}
