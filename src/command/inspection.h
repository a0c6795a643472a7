/* SPDX-License-Identifier: MIT */
/*
 * inspection.h - metrics and health over HTTP, for who watches the server
 *
 * A request is one of these by the end of its PATH_INFO or SCRIPT_NAME:
 * /metrics or /health.  Neither needs a session, or is one's business: the
 * front decides who may ask (conf/), and the property metrics.http whether
 * there is anything to ask.
 */
#ifndef COMMAND_INSPECTION_H
#define COMMAND_INSPECTION_H

#include "broker/broker.h"
#include "fcgi/servlet.h"

/* Answers if it is such a request: returns whether it was. */
bool inspection_serve(struct broker *b, const struct request *q,
		      struct response *r);

#endif
