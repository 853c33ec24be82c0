"""The functions of the chain. The receipt is given what the charge returned."""

from tickerq_celery import TickerContext, ticker_function


@ticker_function("ChargeCard")
def charge_card(context: TickerContext[dict[str, int]]) -> dict[str, int]:
    if context.request["cents"] > 10_000:
        raise ValueError("the card was declined")
    return {"invoice": 7, "cents": context.request["cents"]}


@ticker_function("SendReceipt")
def send_receipt(context: TickerContext) -> None:
    print(f"receipt for invoice {context.parent_result['invoice']}")


@ticker_function("ReserveStock")
def reserve_stock() -> None:
    print("stock is reserved while the card is charged")


@ticker_function("AskForReview")
def ask_for_review() -> None:
    print("how did you like it?")


@ticker_function("CallCustomer")
def call_customer() -> None:
    print("the card was declined: support calls the customer")
