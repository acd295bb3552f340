// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// ONNX files that stint wrote + sessions -> what ONNX Runtime answers.
//
//   node run_onnx.cjs MODULES SESSIONS.json MODEL.onnx...
//
// For each model: MODEL.onnx.json, an array of [best items] a session, and MODEL.onnx.scores,
// float32 [sessions, items].
'use strict';
const fs = require('fs');
const path = require('path');

async function answer(ort, sessions, file) {
  const network = await ort.InferenceSession.create(
      file, {intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3});
  const byLength = new Map();  // the sessions of a length are a batch
  sessions.forEach((items, s) => {
    if (!byLength.has(items.length)) byLength.set(items.length, []);
    byLength.get(items.length).push(s);
  });
  const best = new Array(sessions.length);
  const scores = new Array(sessions.length);
  for (const [length, batch] of byLength) {
    const items = new BigInt64Array(length * batch.length);
    batch.forEach((s, b) => sessions[s].forEach((item, t) => {
      items[t * batch.length + b] = BigInt(item);
    }));
    const result =
        await network.run({items: new ort.Tensor('int64', items, [length, batch.length])});
    const k = result.top_items.dims[1];
    const n = result.scores.dims[1];
    batch.forEach((s, b) => {
      best[s] = Array.from(result.top_items.data.slice(b * k, (b + 1) * k), Number);
      scores[s] = result.scores.data.slice(b * n, (b + 1) * n);
      const top = result.top_scores.data.slice(b * k, (b + 1) * k);
      best[s].forEach((item, i) => {
        if (top[i] !== scores[s][item]) throw new Error(`top_scores of session ${s} at ${i}`);
      });
    });
  }
  fs.writeFileSync(file + '.json', JSON.stringify(best));
  fs.writeFileSync(file + '.scores', Buffer.concat(scores.map(
      (row) => Buffer.from(row.buffer, row.byteOffset, row.byteLength))));
}

async function main() {
  const [modules, sessions, ...files] = process.argv.slice(2);
  const ort = require(path.resolve(modules, 'onnxruntime-node'));
  const items = JSON.parse(fs.readFileSync(sessions, 'utf8'));
  for (const file of files) await answer(ort, items, file);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
