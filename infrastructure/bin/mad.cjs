#!/usr/bin/env node
'use strict';
// The one entry to all programs: `mad start`, `mad worker`, `mad demo` and `mad knex`, and else a command of `mad`. It says first
// whether this Node is too old, so only what the oldest Nodes can parse may stand here. Decision 0043.
require('./check-node.cjs');
void require('./run-program.cjs').runProgram();
