// SPDX-License-Identifier: Apache-2.0
// One class for each code of simplugin/plugin.h.

export class SimpluginError extends Error {
  constructor(message, more = {}) {
    super(message, 'cause' in more ? { cause: more.cause } : undefined);
    this.code = more.code ?? this.constructor.code ?? 'UNKNOWN';
    this.codeNumber = more.codeNumber ?? this.constructor.codeNumber ?? 0;
    this.domain = more.domain ?? 'node';
    this.backendCode = more.backendCode ?? 0;
    this.backendMessage = more.backendMessage ?? '';
    this.retryable = more.retryable ?? false;
    this.details = more.details ?? {};
  }
}
Object.defineProperty(SimpluginError.prototype, 'name', { value: 'SimpluginError', writable: true, configurable: true });

/** @template {typeof SimpluginError} T @param {T} Class @returns {T} */
function of(codeNumber, code, Class) {
  Class.code = code;
  Class.codeNumber = codeNumber;
  Object.defineProperty(Class.prototype, 'name', { value: Class.name, writable: true, configurable: true });
  return Class;
}

export const InvalidArgumentError = of(1, 'INVALID_ARGUMENT', class InvalidArgumentError extends SimpluginError {});
export const NotFoundError = of(2, 'NOT_FOUND', class NotFoundError extends SimpluginError {});
export const AlreadyExistsError = of(3, 'ALREADY_EXISTS', class AlreadyExistsError extends SimpluginError {});
export const UnimplementedError = of(4, 'UNIMPLEMENTED', class UnimplementedError extends SimpluginError {});
export const DeadlineExceededError = of(5, 'DEADLINE_EXCEEDED', class DeadlineExceededError extends SimpluginError {});
export const CancelledError = of(6, 'CANCELLED', class CancelledError extends SimpluginError {});
export const BusyError = of(7, 'BUSY', class BusyError extends SimpluginError {});
export const UnavailableError = of(8, 'UNAVAILABLE', class UnavailableError extends SimpluginError {});
export const UnauthenticatedError = of(9, 'UNAUTHENTICATED', class UnauthenticatedError extends SimpluginError {});
export const PermissionDeniedError = of(10, 'PERMISSION_DENIED', class PermissionDeniedError extends SimpluginError {});
export const ResourceExhaustedError = of(11, 'RESOURCE_EXHAUSTED', class ResourceExhaustedError extends SimpluginError {});
export const OutOfMemoryError = of(12, 'OUT_OF_MEMORY', class OutOfMemoryError extends SimpluginError {});
export const IoError = of(13, 'IO', class IoError extends SimpluginError {});
export const CorruptError = of(14, 'CORRUPT', class CorruptError extends SimpluginError {});
export const ReadOnlyError = of(15, 'READ_ONLY', class ReadOnlyError extends SimpluginError {});
export const NoSpaceError = of(16, 'NO_SPACE', class NoSpaceError extends SimpluginError {});
export const VersionTooOldError = of(17, 'VERSION_TOO_OLD', class VersionTooOldError extends SimpluginError {});
export const VersionTooNewError = of(18, 'VERSION_TOO_NEW', class VersionTooNewError extends SimpluginError {});
export const IncompatibleError = of(19, 'INCOMPATIBLE', class IncompatibleError extends SimpluginError {});
export const StaleHandleError = of(20, 'STALE_HANDLE', class StaleHandleError extends SimpluginError {});
export const ForkedError = of(21, 'FORKED', class ForkedError extends SimpluginError {});
export const PromptUnsupportedError = of(22, 'PROMPT_UNSUPPORTED', class PromptUnsupportedError extends SimpluginError {});
export const DimensionMismatchError = of(23, 'DIMENSION_MISMATCH', class DimensionMismatchError extends SimpluginError {});
export const MalformedError = of(24, 'MALFORMED', class MalformedError extends SimpluginError {});
export const ConfigError = of(25, 'CONFIG', class ConfigError extends SimpluginError {});
export const UnknownMethodError = of(26, 'UNKNOWN_METHOD', class UnknownMethodError extends SimpluginError {});
export const UnknownParameterError = of(27, 'UNKNOWN_PARAMETER', class UnknownParameterError extends SimpluginError {});
export const InternalError = of(28, 'INTERNAL', class InternalError extends SimpluginError {});
export const ProtocolError = of(29, 'PROTOCOL', class ProtocolError extends SimpluginError {});
export const BackendUnknownError = of(40, 'BACKEND_UNKNOWN', class BackendUnknownError extends SimpluginError {});
export const BackendNameError = of(41, 'BACKEND_NAME', class BackendNameError extends SimpluginError {});
export const PluginPathError = of(42, 'PLUGIN_PATH', class PluginPathError extends SimpluginError {});
export const PluginUnsafeError = of(43, 'PLUGIN_UNSAFE', class PluginUnsafeError extends SimpluginError {});
export const PluginUnloadableError = of(44, 'PLUGIN_UNLOADABLE', class PluginUnloadableError extends SimpluginError {});
export const PluginNoEntryError = of(45, 'PLUGIN_NO_ENTRY', class PluginNoEntryError extends SimpluginError {});
export const PluginForeignEntryError = of(46, 'PLUGIN_FOREIGN_ENTRY', class PluginForeignEntryError extends SimpluginError {});
export const PluginBadTableError = of(47, 'PLUGIN_BAD_TABLE', class PluginBadTableError extends SimpluginError {});
export const PluginEntryFailedError = of(48, 'PLUGIN_ENTRY_FAILED', class PluginEntryFailedError extends SimpluginError {});

/**
 * What a call that was aborted rejects with, as Node's own functions do. `name` is that of the
 * signal's reason where that is a DOMException ("AbortError", "TimeoutError").
 */
export class AbortError extends Error {
  constructor(reason, cause) {
    super(reason instanceof Error && reason.message ? reason.message : 'The operation was aborted', { cause });
    this.code = 'ABORT_ERR';
    this.reason = reason;
    const value = reason instanceof DOMException ? reason.name : 'AbortError';
    Object.defineProperty(this, 'name', { value, configurable: true, writable: true });
  }
}
