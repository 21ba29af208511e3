#!/usr/bin/env node
/**
 * Makes a fresh checkout ready: `node scripts/setup.mjs [--for demo|test|start]`. Plain Node, because nothing else is
 * there yet. Every step can be run again at any time and returns at once when there is nothing to do.
 */
import * as electron from "./setup/electron.mjs";
import * as model from "./setup/model.mjs";
import * as native from "./setup/native.mjs";
import * as packages from "./setup/packages.mjs";
import * as system from "./setup/system.mjs";
import { SetupError } from "./setup/tools.mjs";

const purposes = ["demo", "test", "start"];
const [flag, purpose = "start", ...rest] = process.argv.slice(2);
if ((flag !== undefined && flag !== "--for") || !purposes.includes(purpose) || rest.length > 0) {
  console.error(`usage: node scripts/setup.mjs [--for ${purposes.join("|")}]`);
  process.exit(2);
}

const steps = [packages, system, native, model, ...(purpose === "demo" ? [] : [electron])];
const started = Date.now();
const log = (/** @type {string} */ line) => console.error(`  ${line}`);

/** Seconds with one decimal. */
const seconds = (/** @type {number} */ since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

let worked = false;
for (const step of steps) {
  const since = Date.now();
  try {
    if ("isDone" in step && (await step.isDone(purpose))) continue;
    // The native step checks for itself whether it has work, and says so through its log.
    const quiet = !("isDone" in step);
    if (!quiet) {
      console.error(`set-up: ${step.name} (${step.why})`);
      worked = true;
    }
    await step.perform(log, purpose);
    if (!quiet) console.error(`set-up: ${step.name}: done in ${seconds(since)}`);
  } catch (error) {
    console.error(`set-up: ${step.name} failed.`);
    console.error(error instanceof SetupError ? `  ${error.message}` : error);
    process.exit(1);
  }
}
if (worked) console.error(`set-up: ready in ${seconds(started)}`);
