/* SPDX-License-Identifier: MIT */
/*
 * unit.h - what every unit test program has in common
 *
 *	int main(void)
 *	{
 *		TCase *tc = unit_case("buf");
 *
 *		tcase_add_test(tc, a_sentence_about_buffers);
 *		return unit_run();
 *	}
 *
 * CK_VERBOSITY, CK_RUN_CASE and CK_FORK in the environment work as Check's
 * manual says.
 */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>
#include <stdlib.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* The one suite of a program. */
static Suite *unit_suite;

/* A new test case; the first also begins the suite, and names it. */
static inline TCase *unit_case(const char *name)
{
	TCase *tc = tcase_create(name);

	if (!unit_suite)
		unit_suite = suite_create(name);
	suite_add_tcase(unit_suite, tc);
	return tc;
}

/* Runs all cases.  Returns what main is to return. */
static inline int unit_run(void)
{
	SRunner *runner = srunner_create(unit_suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
