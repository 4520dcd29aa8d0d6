// SPDX-License-Identifier: Apache-2.0
import js from '@eslint/js';

const globals = Object.fromEntries([
  'AbortController', 'AbortSignal', 'Buffer', 'DOMException', 'URL', 'console', 'performance', 'process', 'queueMicrotask',
  'setImmediate', 'setInterval', 'setTimeout', 'clearInterval', 'clearTimeout', 'structuredClone',
].map((name) => [name, 'readonly']));

export default [
  { ignores: ['build/', 'node_modules/', 'index.d.ts', '**/*.ts'] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: 'module', globals },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-shadow': 'error',
      'no-throw-literal': 'error',
      'object-shorthand': 'error',
      'max-lines': ['error', 300],
      complexity: ['error', 16],
      'max-len': ['error', 160],
      semi: ['error', 'always'],
      quotes: ['error', 'single', { avoidEscape: true, allowTemplateLiterals: true }],
      indent: ['error', 2, { SwitchCase: 1 }],
    },
  },
];
