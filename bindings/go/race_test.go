// SPDX-License-Identifier: Apache-2.0

//go:build race

package simplugin_test

const raceEnabled = true
