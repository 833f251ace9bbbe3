// A server without any library: the floor of what Node needs to start. In CommonJS, because an import of node:http loads more than this.
const { createServer } = require("node:http");

createServer((_, response) => response.end("ready\n")).listen(Number(process.env.PORT), "127.0.0.1");
