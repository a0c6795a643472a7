/* SPDX-License-Identifier: MIT */
/*
 * record.h - FastCGI records for connections that have left libfcgi
 *
 * FastCGI specification 1.0, sections 3.3 and 5: a header of 8 bytes, then up
 * to 65,535 bytes of content; no padding is needed.
 */
#ifndef FCGI_RECORD_H
#define FCGI_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define RECORD_HEAD 8
#define RECORD_MAX 65535		/* content of one record */
#define RECORD_END (RECORD_HEAD + RECORD_HEAD + 8)

/* Makes an empty buffer begin with room for the head of a record. */
void record_room(struct buf *record);

/* Writes the head of an FCGI_STDOUT record with n (1..RECORD_MAX) bytes. */
void record_stdout(unsigned char head_out[RECORD_HEAD], int request, size_t n);

/* Appends any number of bytes as FCGI_STDOUT records. */
void record_add(struct buf *out, int request, const char *bytes, size_t n);

/* Writes what ends a response: an empty FCGI_STDOUT, FCGI_END_REQUEST. */
void record_end(unsigned char out[RECORD_END], int request);

/* Do these bytes, the first of what a web server sent on a connection whose
 * request has been read, begin with FCGI_ABORT_REQUEST? */
bool record_is_abort(const unsigned char *bytes, size_t n);

#endif
