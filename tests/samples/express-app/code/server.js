const express = require('express');
const { createClient } = require('redis');
const pino = require('pino');

const log = pino({ level: process.env.LOG_LEVEL || 'info' });
const port = process.env.PORT || 3000;
const redisUrl = process.env.REDIS_URL;
if (!redisUrl) {
  throw new Error('REDIS_URL is not set');
}

const app = express();
const cache = createClient({ url: redisUrl });

app.get('/health', (request, response) => response.json({ status: 'ok' }));
app.get('/', async (request, response) => {
  const visits = await cache.incr('visits');
  response.send(`${process.env.GREETING ?? 'Hello'}: ${visits}`);
});

cache.connect().then(() => app.listen(port, () => log.info(`listening on ${port}`)));
