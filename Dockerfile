# By digest, so that every build is of the same image: Node 24.18.1. docs/operations.md says how to take a newer one.
ARG NODE_IMAGE=node:24-bookworm-slim@sha256:235600a8101ab264e117b1768e925532262668dc9b581ef1dd7d96ced463b8e7

# What runs in production, in a stage of its own: npm, its cache and the lock stay behind.
FROM $NODE_IMAGE AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings its own Node, which is what the optional dependencies are.
RUN npm ci --omit=dev --omit=optional

FROM $NODE_IMAGE
WORKDIR /app
# Records and their secret, where STORE_URL does not put them elsewhere. What is mounted here belongs to the service.
RUN mkdir /data && chown 1000:1000 /data
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY bin bin
COPY src src
# What runs, for build_info of /metrics: docker build --build-arg BUILD_COMMIT=$(git rev-parse HEAD)
ARG BUILD_COMMIT=unknown
# Callers come from outside the container; probes do not, so ADMIN_HOST stays on loopback.
ENV HOST=0.0.0.0 DATA_DIR=/data BUILD_COMMIT=$BUILD_COMMIT
VOLUME /data
EXPOSE 3000
# By number, which is node's: who runs it can see that it is not root.
USER 1000:1000
# Without a shell, so that the probe ends with its process.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.ADMIN_PORT || 3001) + '/livez').then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# The same as npm start; it hands over to Node, so signals reach the service itself.
CMD ["bin/thread-reply-bff"]
