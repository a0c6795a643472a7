/* SPDX-License-Identifier: MIT */
/*
 * test_proc.c - shm/proc.h: is that process still there?
 */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "shm/proc.h"

/* A process that waits to be killed, and what it calls itself. */
static pid_t sleeper(struct proc *proc_out)
{
	struct proc *shared = (struct proc *)shared_word();
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		shared->started = proc_self().started;
		__atomic_store_n(&shared->pid, proc_self().pid,
				 __ATOMIC_SEQ_CST);
		for (;;)
			pause();
	}
	await_word(&shared->pid, (uint32_t)pid);
	*proc_out = *shared;
	return pid;
}

START_TEST(i_am_alive)
{
	struct proc self = proc_self();

	ck_assert_uint_eq(self.pid, (uint32_t)getpid());
	ck_assert_uint_gt(self.started, 0);
	ck_assert(proc_alive(self));
}
END_TEST

START_TEST(another_process_is_alive_until_it_is_killed)
{
	struct proc other;
	pid_t pid = sleeper(&other);

	ck_assert(proc_alive(other));
	kill(pid, SIGKILL);
	was_killed(pid, SIGKILL);
	ck_assert(!proc_alive(other));
}
END_TEST

START_TEST(a_killed_process_is_dead_before_its_parent_notices)
{
	struct proc other;
	pid_t pid = sleeper(&other);
	siginfo_t info;

	kill(pid, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT),
			 0);
	ck_assert(!proc_alive(other));
	was_killed(pid, SIGKILL);
}
END_TEST

START_TEST(who_got_the_pid_of_a_dead_process_is_not_it)
{
	struct proc self = proc_self();

	self.started--;
	ck_assert(!proc_alive(self));
}
END_TEST

START_TEST(without_a_start_time_the_pid_alone_decides)
{
	struct proc self = proc_self();

	self.started = 0;
	ck_assert(proc_alive(self));
}
END_TEST

START_TEST(no_pid_is_nobody)
{
	ck_assert(!proc_alive((struct proc){ .pid = 0 }));
}
END_TEST

START_TEST(blanks_and_brackets_in_its_name_do_not_hide_a_process)
{
	uint64_t started = proc_self().started;

	ck_assert_int_eq(prctl(PR_SET_NAME, "a) Z 1 (2 3) 4", 0, 0, 0), 0);
	ck_assert_uint_eq(proc_self().started, started);
	ck_assert(proc_alive(proc_self()));
}
END_TEST

int main(void)
{
	TCase *tc = unit_case("proc");

	tcase_add_test(tc, i_am_alive);
	tcase_add_test(tc, another_process_is_alive_until_it_is_killed);
	tcase_add_test(tc,
		a_killed_process_is_dead_before_its_parent_notices);
	tcase_add_test(tc, who_got_the_pid_of_a_dead_process_is_not_it);
	tcase_add_test(tc, without_a_start_time_the_pid_alone_decides);
	tcase_add_test(tc, no_pid_is_nobody);
	tcase_add_test(tc,
		blanks_and_brackets_in_its_name_do_not_hide_a_process);
	return unit_run();
}
