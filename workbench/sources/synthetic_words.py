"""The words of the made-up loan desk: why things are decided, and what letters say."""

PURPOSES = ("car", "kitchen", "studies", "solar panels", "moving house", "dental work", "wedding", "debt consolidation")
CHANNELS = ("web", "app", "branch", "phone")
CITIES = ("Aarhus", "Ghent", "Graz", "Leiden", "Porto", "Turku", "Uppsala", "Vilnius")

REASONS_FOR = (
    "steady income for three years",
    "no arrears in 24 months",
    "instalment below a fifth of income",
    "customer for more than five years",
    "savings cover six instalments",
)
REASONS_AGAINST = (
    "instalment above a third of income",
    "two arrears in the last year",
    "income could not be verified",
    "existing loans exceed the limit",
)
DECISION_REMARKS = (
    "Income papers arrived after the proposal.",
    "Smaller amount fits the household budget.",
    "The second applicant was not counted.",
    "Arrears were a bank error, settled in spring.",
)
DECISION_REFUSALS = (
    "The papers say something else.",
    "Affordability was computed on gross income.",
    "The applicant is a guarantor elsewhere.",
)
PRICE_REMARKS = ("Long-standing customer.", "Matches the offer of another bank.", "Collateral was not considered.")
PRICE_REFUSALS = ("Rate is below our floor.", "Term and rate do not match.", "Wrong risk class.")
LETTER_REFUSALS = ("Tone is too pushy.", "Says more than we decided.", "Wrong amount in the first paragraph.")
BAD_REFUSALS = (
    "Promises a pay-out we have not decided.",
    "Invents a fee waiver.",
    "Names a rate that was never offered.",
    "Ignores the papers of the applicant.",
)

OPENINGS = (
    "Thank you for your request of {amount} euros.",
    "We have looked at your request for a loan of {amount} euros.",
    "You asked us for {amount} euros to pay for: {purpose}.",
)
APPROVALS = (
    "We are glad to say that we can lend you this amount.",
    "Your loan is approved as you asked for it.",
    "We can offer you the loan on the terms below.",
)
DECLINES = (
    "We are sorry that we cannot lend you this amount now.",
    "After weighing your papers we have to decline this request.",
    "At present we cannot offer you this loan.",
)
TERMS = (
    "You would pay {instalment} euros a month for {months} months, at {rate} percent a year.",
    "The yearly rate is {rate} percent; the monthly instalment is {instalment} euros over {months} months.",
)
WHY_NOT = (
    "The reason is this: {reason}.",
    "What weighed most was this: {reason}.",
)
CLOSINGS_YES = (
    "Please sign the enclosed agreement within 14 days.",
    "Once we have your signature, the money is with you in three working days.",
)
CLOSINGS_NO = (
    "You may ask us to look again once your circumstances change.",
    "If a figure here is wrong, tell us and we will look again.",
)
FAREWELLS = ("Kind regards, your loan desk", "With kind regards, the loan desk", "Yours sincerely, the loan desk")
# What the bad prompt adds: promises nobody made. People strike them out or refuse the letter.
BAD_PROMISES = (
    "Your loan is guaranteed, whatever your papers say!",
    "As a special favour all fees are waived for ever.",
    "Act today: this rate will be gone tomorrow.",
)
KINDER = (
    "Call us if anything in this letter is unclear.",
    "We know that this took a few days, and thank you for your patience.",
    "Your adviser will gladly go through the figures with you.",
)
