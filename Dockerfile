# What runs in production, in a stage of its own: npm, its cache and the lock stay behind.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings its own Node, which is what the optional dependencies are.
RUN npm ci --omit=dev --omit=optional

FROM node:24-bookworm-slim
WORKDIR /app
# A volume mounted here belongs to the service: STORE_URL=file:/data/replies.db
RUN mkdir /data && chown node:node /data
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY src src
# Callers come from outside the container; probes do not, so ADMIN_HOST stays on loopback.
ENV HOST=0.0.0.0
EXPOSE 3000
USER node
# Without a shell, here and below, so that signals reach the process itself.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.ADMIN_PORT || 3001) + '/livez').then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Node would let the youngest part of its heap grow to 128 MiB, and the rest far beyond what is in use; with many
# requests under way V8 would take their objects for lasting ones; and each of its threads would keep memory of its own.
ENV MALLOC_ARENA_MAX=1
CMD ["node", "--import=./src/process/compiled-code.js", "--max-semi-space-size=16", "--heap-growing-percent=50", "--no-allocation-site-pretenuring", "src/server.ts"]
