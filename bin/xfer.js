#!/usr/bin/env node
import '../dist/command/xfer.js';
