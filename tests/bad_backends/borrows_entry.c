/* SPDX-License-Identifier: Apache-2.0 */
/* fails: abi/entry */
/* The entry is that of a library that it is linked with: good/minimal.so. */
extern int borrows_entry_is_no_empty_file;
