"""The rules of stock, as pure functions from a lot to a change of it.

records   what is kept: donor, lot, hold, receipt
balance   the one place where balances change, and the rule that may never break
stock     listing, receiving more, conditions, write-off, closing
booking   holds: place, confirm, release, let lapse; the earmark is checked here
handover  issue, sign, take back
filing    closed holds leave the lot
ledger    write-once entries, from which every balance is recounted
"""
