'use strict';
// Comes before anything else of a program. Only what the oldest Nodes can parse may stand here.
var MIN = [20, 19]; // as "engines" in package.json
var found = process.versions.node.split('.').map(Number);
if (found[0] < MIN[0] || (found[0] === MIN[0] && found[1] < MIN[1])) {
  process.stderr.write(
    'This needs Node ' + MIN.join('.') + ' or newer, and is run by ' + process.versions.node + '.\n',
  );
  process.exit(1);
}
