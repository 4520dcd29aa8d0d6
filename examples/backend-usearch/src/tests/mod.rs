// SPDX-License-Identifier: Apache-2.0
mod graph;
mod points;
mod rig;
mod store;
