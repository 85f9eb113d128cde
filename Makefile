# Both commands do all the set-up they need: the npm packages, the Node.js that the project runs on, and the testbed.
.PHONY: demo test check bench clean

SHELL := /bin/bash

node_modules/.installed: package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

# Shows a good deploy, a bad one, and how it is taken back, on a Kubernetes control plane started for the purpose.
demo: node_modules/.installed
	npm run --silent demo

# Everything that must hold for main to be releasable. The last line counts the tests.
test: node_modules/.installed
	npm run --silent check
	npm run --silent test:all

# All checks that need no cluster.
check: node_modules/.installed
	npm run --silent check

# Side-by-side figures; each prints ratios.
bench: node_modules/.installed
	npm run --silent package
	npm run --silent bench:start-up
	npm run --silent bench:update
	npm run --silent bench:rollback

clean:
	rm -rf node_modules lib coverage
