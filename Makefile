.PHONY: crash faults help run test build shots lint fmt fuzz bench-campaign bench-smtp bench-store clean
help: ## says what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16
run: ## installs what is missing, builds, and opens the window with its practice server
	@./scripts/run.sh
test: ## installs what is missing and runs every test
	@./scripts/test.sh
build: ## builds bin/hongyan (the window) and bin/hongyanctl
	@./scripts/build.sh
shots: ## drives the real window on a virtual screen and leaves pictures of it in shots/
	@./scripts/shots.sh
lint: ## golangci-lint with the rules of .golangci.yml
	@./scripts/lint.sh
fmt: ## gofmt on every file
	@git ls-files -z '*.go' | xargs -0 gofmt -w
bench-smtp: ## measures smtpx beside other clients and writes docs/performance.md (a quarter of an hour)
	@./scripts/bench-smtp.sh
bench-store: ## measures imports and long lists beside sqlite3 and excelize and writes docs/performance.md (some minutes)
	@./scripts/bench-store.sh
crash: ## kills a sending process 500 times (KILLS=50 for fewer), fails the power, looks at the order of syncs
	@./scripts/crash.sh $(KILLS)
faults: ## plays every fault at every step of a conversation and compares with docs/reliability.md
	@./scripts/faults.sh
bench-campaign: ## measures whole campaigns, and memory up to a million people, into docs/performance.md (a quarter of an hour)
	@./scripts/bench-campaign.sh
fuzz: ## fuzzes every target for two minutes (FOR=10m for longer)
	@./scripts/fuzz.sh $(FOR)
clean: ## removes what was built
	rm -rf bin dist shots
