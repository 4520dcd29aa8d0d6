/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views: lists of ids that a program will search in. An instance keeps the ids, whatever
 * happens to the collection, and the mask they make of the newest snapshot it saw.
 */
#ifndef FLAT_VIEW_H
#define FLAT_VIEW_H

#include "mask.h"

/* The mask of the view that the request names; NULL where it names none. */
int32_t flat_view_mask(flat_call *call, flat_snapshot *snapshot, flat_mask_ref **mask);
/* Drops the views of a collection that is gone; all of the instance's when it closes. */
void flat_views_forget(simplugin_instance *instance, sp_text name);
void flat_views_free(simplugin_instance *instance);

#endif
