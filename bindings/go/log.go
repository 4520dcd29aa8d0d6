// SPDX-License-Identifier: Apache-2.0

package simplugin

/*
#include "simplugin_go.h"
*/
import "C"

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// LogLevel says how much a message matters; smaller matters more.
type LogLevel int32

// The levels of SetLog.
const (
	LogError   LogLevel = C.SIMPLUGIN_LOG_ERROR
	LogWarning LogLevel = C.SIMPLUGIN_LOG_WARNING
	LogInfo    LogLevel = C.SIMPLUGIN_LOG_INFO
	LogDebug   LogLevel = C.SIMPLUGIN_LOG_DEBUG
)

func (l LogLevel) String() string {
	switch l {
	case LogError:
		return "error"
	case LogWarning:
		return "warning"
	case LogInfo:
		return "info"
	case LogDebug:
		return "debug"
	}
	return fmt.Sprintf("LogLevel(%d)", int32(l))
}

// LogFunc gets the library's messages, on whatever goroutine or thread they arise. It must
// not call back into the library.
type LogFunc func(level LogLevel, message string)

var (
	logMutex sync.Mutex // the function and the library's level change together
	logFunc  atomic.Pointer[LogFunc]
)

// SetLog sends the messages up to level to fn; nil restores the default: warnings and errors
// to stderr, or what SIMPLUGIN_LOG says. It may be called while calls run. A function that
// panics is not called through C frames: the panic is printed to stderr.
func SetLog(level LogLevel, fn LogFunc) {
	logMutex.Lock()
	defer logMutex.Unlock()
	if fn == nil {
		C.simplugin_go_log_set(0)
		logFunc.Store(nil)
		return
	}
	logFunc.Store(&fn)
	C.simplugin_go_log_set(C.int32_t(level))
}

//export simpluginGoLog
func simpluginGoLog(level C.int32_t, message *C.char, size C.uint64_t) {
	fn := logFunc.Load()
	if fn == nil {
		return // taken away since the library asked
	}
	defer func() {
		if what := recover(); what != nil {
			fmt.Fprintf(os.Stderr, "simplugin: the log function panicked: %v\n", what)
		}
	}()
	(*fn)(LogLevel(level), C.GoStringN(message, C.int(size)))
}
