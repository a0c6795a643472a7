/* SPDX-License-Identifier: MIT */
/*
 * banned.h - functions that must not be used here do not compile
 *
 * Included before everything else by a build with DEVELOPER=1 (-include).  The
 * system headers come first, so that their declarations of these names are
 * read before the names become macros; that in turn needs the feature macros
 * to be set by then.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define BANNED(func) sorry_##func##_is_a_banned_function

/* They write without knowing how much room there is, or leave out the NUL:
 * struct buf, snprintf(), memcpy(). */
#undef strcpy
#define strcpy(dst, src) BANNED(strcpy)
#undef stpcpy
#define stpcpy(dst, src) BANNED(stpcpy)
#undef strcat
#define strcat(dst, src) BANNED(strcat)
#undef strncpy
#define strncpy(dst, src, n) BANNED(strncpy)
#undef strncat
#define strncat(dst, src, n) BANNED(strncat)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)

/* They keep state that threads would share: strtok_r(), localtime_r(),
 * gmtime_r(), strftime(). */
#undef strtok
#define strtok(s, delim) BANNED(strtok)
#undef gmtime
#define gmtime(t) BANNED(gmtime)
#undef localtime
#define localtime(t) BANNED(localtime)
#undef ctime
#define ctime(t) BANNED(ctime)
#undef ctime_r
#define ctime_r(t, buf) BANNED(ctime_r)
#undef asctime
#define asctime(t) BANNED(asctime)
#undef asctime_r
#define asctime_r(t, buf) BANNED(asctime_r)

/* They cannot tell a mistake from a zero: strtoul() and its end pointer. */
#undef atoi
#define atoi(s) BANNED(atoi)
#undef atol
#define atol(s) BANNED(atol)
#undef atoll
#define atoll(s) BANNED(atoll)
#undef atof
#define atof(s) BANNED(atof)

/* Their numbers can be guessed: base/token.h. */
#undef rand
#define rand() BANNED(rand)
#undef srand
#define srand(seed) BANNED(srand)
#undef random
#define random() BANNED(random)
#undef srandom
#define srandom(seed) BANNED(srandom)

/* The name can be taken between its choice and its use: mkstemp(). */
#undef tmpnam
#define tmpnam(s) BANNED(tmpnam)
#undef tempnam
#define tempnam(dir, prefix) BANNED(tempnam)
#undef mktemp
#define mktemp(template) BANNED(mktemp)

#endif
